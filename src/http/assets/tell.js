// Tells whoever opened this window how the flow ended, and other pages of the hub.
{
  const { type, message, errorType, origins } = document.currentScript.dataset
  const payload = errorType === '' ? { message } : { message, errorType }
  if (window.opener) for (const origin of origins.split(' ')) window.opener.postMessage({ type, payload }, origin)
  new BroadcastChannel('nango-oauth-callback').postMessage({ type, payload })
}

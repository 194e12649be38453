// A window that a script opened may be closed by one. Where the browser says no, the page has said what to do.
setTimeout(() => window.close(), 600)

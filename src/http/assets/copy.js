// Shows the Copy buttons and makes them work.
const said = document.createElement('p')
said.className = 'unseen'
said.setAttribute('role', 'status')
document.querySelector('main').append(said)
let silence
for (const button of document.querySelectorAll('button[data-copy]')) {
  button.hidden = false
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(button.dataset.copy)
    button.textContent = said.textContent = 'Copied'
    setTimeout(() => {
      button.textContent = 'Copy'
    }, 1500)
    clearTimeout(silence)
    // Emptied, so that the next copy is told too.
    silence = setTimeout(() => {
      said.textContent = ''
    }, 1500)
  })
}

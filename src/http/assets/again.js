// Sends the form of this page by itself.
document.querySelector('#again').submit()

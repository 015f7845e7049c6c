// Elements, made one by one: whatever a value brings along is text.

const SVG = 'http://www.w3.org/2000/svg'

/** An element; attributes that are functions listen to events, `undefined`, `null` and `false` are left out. */
export function h(name, attributes, ...children) {
  return filled(document.createElement(name), attributes, children)
}

export function svg(name, attributes, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children)
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (typeof value === 'function') element.addEventListener(name, value)
    else if (value === true) element.setAttribute(name, '')
    else if (value !== undefined && value !== null && value !== false) element.setAttribute(name, value)
  }
  element.append(...children.flat(Infinity).filter((child) => child !== undefined && child !== null && child !== false))
  return element
}

let last = 0

/** An id that nothing else on the page has. */
export function fresh(name) {
  last += 1
  return `${name}-${last}`
}

/** Said to whoever does not see what has changed. */
export function announce(text) {
  const place = document.getElementById('announcements')
  place.textContent = ''
  setTimeout(() => { place.textContent = text }, 50)
}

/** As a heading or a field takes it. */
export function sentence(text) {
  return text ? text[0].toUpperCase() + text.slice(1) : ''
}

// What words mean: it appears where somebody points or comes to by keyboard, and goes away with Escape.

import { fresh, h, sentence } from './dom.js'

/** A word of the vocabulary, with its meaning, its key and its IRI. */
export function term({ label, key, description, iri }) {
  const id = fresh('tip')
  return h('span', { class: 'tipped' }, h('button', { type: 'button', class: 'term', 'aria-describedby': id }, sentence(label)), tip(id, { key, description, iri }))
}

export function tip(id, { key, description, iri }) {
  return h('span', { role: 'tooltip', id, class: 'tip' },
    description && h('span', {}, `${description} `), key && h('code', {}, key), iri && h('span', { class: 'iri' }, ` ${iri}`))
}

/** WCAG 2.2, 1.4.13: what has appeared can be sent away without moving; who leaves and returns finds it again. */
export function watchTips() {
  document.addEventListener('keydown', ({ key }) => {
    if (key !== 'Escape') return
    for (const it of document.querySelectorAll('.tipped:is(:hover, :focus-within)')) it.classList.add('dismissed')
  })
  for (const leaving of ['mouseout', 'focusout']) document.addEventListener(leaving, revive)
}

function revive({ target, relatedTarget }) {
  const place = target.closest?.('.dismissed')
  if (place && !place.contains(relatedTarget)) place.classList.remove('dismissed')
}

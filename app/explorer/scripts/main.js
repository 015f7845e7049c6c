// The explorer: asks the address of the page for its data, and draws what it says, by what the service says of itself.

import { announce, h, sentence } from './dom.js'
import { askToken, bar } from './bar.js'
import { collection } from './collection.js'
import { Documentation } from './documentation.js'
import { exchanged } from './raw.js'
import { operations } from './forms.js'
import { neighbourhood } from './graph.js'
import { ask, toIri, toLocal } from './http.js'
import { item } from './item.js'
import { expand, Node } from './json_ld.js'
import { forget, nameOf, remember, told, trail } from './names.js'
import { navigate, settled } from './navigation.js'
import { problemPage } from './problem.js'
import { overview } from './overview.js'
import { nameLinks } from './values.js'
import { EXPLANATIONS, hydra } from './terms.js'

const main = document.getElementById('main')
let latest = 0

/** Shows what is at an address. What somebody asked for meanwhile goes before. */
async function draw(asked, { first = false, said, focus = !first, at = 0 } = {}) {
  const mine = latest += 1
  main.setAttribute('aria-busy', 'true')
  try {
    const page = await read(asked)
    if (mine !== latest) return
    if (!first && page.leaves) return location.assign(asked)
    settled(toLocal(page.address), asked)
    const parts = await compose(page)
    if (mine !== latest) return
    show(page, parts, said)
    if (focus) main.querySelector('h1').focus({ preventScroll: true })
    scroll(asked, at)
    announce(said ?? (first ? '' : page.title))
    await complete(page, () => mine === latest)
  } catch (error) {
    if (mine === latest) failed(error)
  } finally {
    if (mine === latest) main.setAttribute('aria-busy', 'false')
  }
}

async function read(asked) {
  const answer = await ask(asked)
  const [documentation, { root, index }] = await Promise.all([Documentation.of(answer), contentOf(answer)])
  const known = (iri) => (index.has(iri) && told(index.get(iri), documentation)) || documentation.classes.get(iri)?.title
  const page = {
    address: answer.address, answer, documentation, root, index, known, signIn: askToken,
    nameOf: (node) => nameOf(node, documentation), thing: (iri) => index.get(iri) ?? new Node(iri),
    leaves: answer.ok && root.types.some((it) => EXPLANATIONS.has(it)),
  }
  page.problem = !answer.ok
  page.title = page.problem ? answer.json?.title ?? `Status ${answer.status}` : page.nameOf(root) || new URL(asked).pathname
  return page
}

/** A context has no other content than itself, and what is no JSON has none that could be drawn. */
async function contentOf(answer) {
  if (!answer.ok || !answer.json) return { root: new Node(), index: new Map() }
  return expand(answer.json, answer.address)
}

async function compose(page) {
  const { root, answer, documentation } = page
  if (page.problem) return problemPage(answer, page)
  if (documentation.entrypoint && root.is(hydra('ApiDocumentation'))) return overview(root, page)
  if (root.isEmpty && answer.json?.['@context']) return contextTable(answer.json['@context'])
  const listed = root.said.has(hydra('member')) || root.is(hydra('Collection'))
  return [operations(root, page), listed ? collection(root, page) : item(root, page)]
}

function show(page, parts, said) {
  bar(page.documentation)
  const kind = page.problem ? `Problem, status ${page.answer.status}` : page.documentation.classOf(page.root.types)?.title
  const description = !page.problem && page.documentation.classOf(page.root.types)?.description
  document.title = `${page.title} · ${page.documentation.title}`
  main.replaceChildren(...[
    said && h('p', { class: 'said' }, said),
    h('nav', { class: 'trail', 'aria-label': 'Where you are' }),
    h('header', { class: 'top' }, kind && kind !== page.title && h('p', { class: 'eyebrow' }, kind), h('h1', { tabindex: -1 }, sentence(page.title)), description && h('p', { class: 'lead' }, description)),
    h('div', { class: 'body' }, parts),
    !page.problem && neighbourhood(page.root, page),
    ...exchanged(page),
  ].flat(Infinity).filter(Boolean))
}

/** What can come a little later: where one is, and what things are called that were only named. */
async function complete(page, wanted) {
  if (!page.problem) remember(toIri(page.address), page.answer, page.root, page.documentation)
  const steps = await trail(toIri(page.address), page.answer.links)
  if (!wanted()) return
  if (steps.length) {
    main.querySelector('.trail').replaceChildren(h('ol', {}, steps.map((it) => h('li', {}, h('a', { href: toLocal(it.iri) }, sentence(it.name)))),
      h('li', { 'aria-current': 'page' }, sentence(page.title))))
  }
  await nameLinks(main)
}

function contextTable(context) {
  const rows = [context].flat().flatMap((it) => (typeof it === 'object' ? Object.entries(it) : []))
  return [h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Terms' }, h('table', {}, h('thead', {}, h('tr', {}, ['Term', 'Stands for', 'Values'].map((it) => h('th', { scope: 'col' }, it)))),
    h('tbody', {}, rows.map(([name, value]) => h('tr', {}, h('th', { scope: 'row' }, h('code', {}, name)), h('td', {}, typeof value === 'string' ? value : value?.['@id'] ?? value?.['@reverse'] ?? ''), h('td', {}, value?.['@type'] ?? ''))))))]
}

function scroll(asked, at) {
  const place = document.getElementById(decodeURIComponent(new URL(asked).hash.slice(1)))
  if (place) place.scrollIntoView()
  else scrollTo(0, at)
}

function failed(error) {
  console.error(error)
  bar()
  main.replaceChildren(h('h1', { tabindex: -1 }, 'This could not be shown'), h('p', {}, 'The service could not be reached, or answered with what cannot be read.'),
    h('p', { class: 'buttons' }, h('button', { type: 'button', class: 'primary', click: () => { forget(); draw(location.href) } }, 'Try again')))
  main.querySelector('h1').focus()
}

navigate(draw)

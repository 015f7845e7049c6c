// The explorer: asks the address of the page for its data, and draws what it says, by what the service says of itself.

import { announce, grid, h, reveal, sentence } from './dom.js'
import { askToken, bar, waiting } from './bar.js'
import { collection } from './collection.js'
import { Documentation } from './documentation.js'
import { exchanged } from './raw.js'
import { operations } from './forms.js'
import { neighbourhood, toMiddle } from './graph.js'
import { ask, toIri, toLocal } from './http.js'
import { item } from './item.js'
import { expand, Node } from './json_ld.js'
import { beginning, forget, nameOf, remember, told, trail } from './names.js'
import { again, arrived, isElsewhere, leave, navigate } from './navigation.js'
import { problemPage } from './problem.js'
import { overview } from './overview.js'
import { watchTips } from './tips.js'
import { nameLinks } from './values.js'
import { EXPLANATIONS, hydra } from './terms.js'

const PATIENCE = 400  // milliseconds, after which who waits is told so
const main = document.getElementById('main')
let latest = 0

/** Shows what is at an address. What somebody asked for meanwhile goes before. */
async function draw(asked, { first = false, said, focus = !first, at = 0 } = {}) {
  const mine = latest += 1
  main.setAttribute('aria-busy', 'true')
  main.dataset.state = 'asked'
  const slow = setTimeout(() => mine === latest && waiting(), PATIENCE)
  try {
    const page = await pageAt(asked)
    if (mine !== latest) return
    if (page.isExplanation && isElsewhere(asked)) return leave(asked)
    arrived(toLocal(page.address), asked)
    const parts = await compose(page)
    if (mine !== latest) return
    clearTimeout(slow)
    const words = typeof said === 'function' ? said() : said
    show(page, parts, words)
    if (focus) main.querySelector('h1').focus({ preventScroll: true })
    if (!reveal(asked)) scrollTo(0, at)
    main.setAttribute('aria-busy', 'false')
    announce(words || (first ? '' : page.title))
    await complete(page, () => mine === latest)
  } catch (error) {
    if (mine === latest) failed(error)
  } finally {
    clearTimeout(slow)
    if (mine === latest) main.dataset.state = 'complete'
  }
}

async function pageAt(asked) {
  const answer = await ask(asked)
  const [documentation, { root, index, words }] = await Promise.all([Documentation.of(answer), contentOf(answer)])
  const known = (iri) => (index.has(iri) && told(index.get(iri), documentation)) || sentence(documentation.called(iri) ?? '') || undefined
  const page = {
    address: answer.address, answer, documentation, root, index, known, signIn: askToken,
    nameOf: (node) => nameOf(node, documentation), thing: (iri) => index.get(iri) ?? new Node(iri),
    isExplanation: answer.ok && root.types.some((it) => EXPLANATIONS.has(it)),
  }
  page.problem = !answer.ok
  page.saysOperations = words.has(hydra('operation')) || [...index.values(), root].some((it) => it.said.has(hydra('operation')))
  page.title = page.problem ? answer.json?.title ?? `Status ${answer.status}` : page.nameOf(root) || new URL(asked).pathname
  return page
}

/** A context has no other content than itself, and what is no JSON has none that could be drawn. */
async function contentOf(answer) {
  if (answer.ok && answer.isBroken) throw new Error(`${answer.address} answered with broken JSON`)
  if (!answer.ok || !answer.json) return { root: new Node(), index: new Map(), words: new Set() }
  return expand(answer.json, answer.address)
}

async function compose(page) {
  const { root, answer, documentation } = page
  if (page.problem) return problemPage(answer, page)
  if (documentation.entrypoint && root.is(hydra('ApiDocumentation'))) return overview(root, page)
  if (root.isEmpty && answer.json?.['@context']) return contextTable(answer.json['@context'])
  const listed = root.said.has(hydra('member')) || root.is(hydra('Collection'))
  return [await operations(root, page), listed ? collection(root, page) : item(root, page)]
}

function show(page, parts, said) {
  bar(page.documentation)
  const kind = page.problem ? `Problem, status ${page.answer.status}` : page.documentation.classOf(page.root.types)?.title
  const description = !page.problem && page.documentation.classOf(page.root.types)?.description
  document.title = `${page.title} · ${page.documentation.title}`
  main.replaceChildren(...[
    said && h('p', { class: 'said' }, said),
    h('div', { class: 'trail' }),
    h('header', { class: 'top' }, kind && kind !== page.title && h('p', { class: 'eyebrow' }, kind), h('h1', { tabindex: -1 }, page.title), description && h('p', { class: 'lead' }, description)),
    h('div', { class: 'body' }, parts),
    !page.problem && neighbourhood(page.root, page),
    ...exchanged(page),
  ].flat(Infinity).filter(Boolean))
  for (const it of main.querySelectorAll('.neighbourhood .scroll')) toMiddle(it)
}

/** What can come a little later: where one is, and what things are called that were only named. */
async function complete(page, wanted) {
  if (!page.problem) remember(toIri(page.address), page)
  const steps = page.problem ? await beginning(page.documentation) : await trail(toIri(page.address), page.answer.links)
  if (!wanted()) return
  if (steps.length) {
    main.querySelector('.trail').replaceWith(h('nav', { class: 'trail', 'aria-label': 'Where you are' }, h('ol', {},
      steps.map((it) => h('li', {}, h('a', { href: toLocal(it.iri) }, it.name))), h('li', { 'aria-current': 'page' }, page.title))))
  }
  await nameLinks(main)
}

function contextTable(context) {
  const rows = [context].flat().flatMap((it) => (typeof it === 'object' ? Object.entries(it) : []))
  return grid('Terms', ['Term', 'Stands for', 'Values'], rows.map(([name, value]) =>
    [h('code', {}, name), typeof value === 'string' ? value : value?.['@id'] ?? value?.['@reverse'] ?? '', value?.['@type'] ?? '']))
}

function failed(error) {
  console.error(error)
  bar()
  main.setAttribute('aria-busy', 'false')
  main.replaceChildren(h('h1', { tabindex: -1 }, 'This could not be shown'), h('p', {}, 'The service could not be reached, or answered with what cannot be read.'),
    h('p', { class: 'buttons' }, h('button', { type: 'button', class: 'primary', click: () => { forget(); again() } }, 'Try again')))
  main.querySelector('h1').focus()
}

watchTips()
navigate(draw)

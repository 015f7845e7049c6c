// What comes of sending a form.

import { tell } from './dom.js'
import { conflict } from './conflict.js'
import { expand } from './json_ld.js'
import { contentOf, refusal, refuse, unsaid } from './fields.js'
import { ask, toLocal } from './http.js'
import { again, go } from './navigation.js'
import { forget } from './names.js'
import { problemPanel } from './problem.js'
import { LD_JSON } from './terms.js'

const MERGE_PATCH = 'application/merge-patch+json'
const UNKNOWN = 'The service could not be reached. Nothing is known of what it did; look before you try again.'

/** Nothing is sent that cannot be; what is told is told at the field that it concerns. With the entity tag of
 *  what is shown, or of what was chosen against, so that nobody's change is written over unseen. */
export async function send(task) {
  if (task.isSent) return
  const { fields, method } = task
  unsaid(task)
  const refused = [...fields.map((it) => ({ field: it, message: refusal(it, method) })).filter((it) => it.message), ...missing(task)]
  if (refused.length) return refuse(task, refused)
  const content = contentOf(fields, method)
  if (method === 'PATCH' && !Object.keys(content).length) return refuse(task, [{ message: 'Nothing has been changed.' }])
  const button = task.told.closest('form').querySelector('[type=submit]')
  task.isSent = button.disabled = true
  const answer = await ask(task.address, request(task, content)).then(known, () => undefined)
  if (isLeft(task)) return late(task, answer)
  // Where something was done the form is not used again: it goes when what is new is drawn.
  if (answer?.ok) return done(task, answer)
  task.isSent = button.disabled = false
  if (!answer) return refuse(task, [{ message: UNKNOWN }])
  if (answer.status === 412) return conflict(task, content, () => send(task))
  return problemPanel(task, answer)
}

/** What the service itself answered: who stands before it knows neither what it did nor whether, and has pages of
 *  its own. */
function known(answer) {
  const isOthers = answer.ok ? answer.type === 'text/html' : !answer.json && [502, 504].includes(answer.status)
  return isOthers ? undefined : answer
}

/** Where one of several has to be filled in, and none is. */
function missing({ fields, alternatives }) {
  const choice = fields.filter((it) => alternatives.includes(it.iri))
  if (!choice.length || choice.some((it) => it.texts.length)) return []
  return [{ field: choice[0], message: `Fill in ${choice.map((it) => it.label).join(' or ')}.` }]
}

function request({ method, operation, page, etag = page.answer.etag }, content) {
  const fields = (method !== 'POST' || operation.isConditional) && etag ? { 'If-Match': etag } : {}
  if (method === 'DELETE') return { method, fields }
  if (method === 'PATCH') return { method, fields: { ...fields, 'Content-Type': MERGE_PATCH }, body: JSON.stringify(content) }
  const body = JSON.stringify({ '@context': page.answer.json['@context'], ...content })
  return { method, fields: { ...fields, 'Content-Type': LD_JSON }, body }
}

/** Whether somebody has gone elsewhere, or is about to. */
function isLeft({ told }) {
  return !told.isConnected || told.closest('[aria-busy]').getAttribute('aria-busy') === 'true'
}

/** Who has gone elsewhere meanwhile stays there, and is told. */
function late({ title }, answer) {
  forget()
  if (!answer) return tell(`${title}: ${UNKNOWN}`)
  if (answer.ok) return tell(`${title}: done.`)
  return tell(`${title}: not done. ${answer.json?.detail ?? answer.json?.title ?? `The service answered with ${answer.status}.`}`)
}

async function done(task, answer) {
  forget()
  const said = `${task.title}: done.`
  const made = answer.type === LD_JSON ? await expand(answer.json, answer.address).then(({ root }) => root.id, () => undefined) : undefined
  const here = location.href.split('#')[0]
  const ways = [answer.status === 201 && answer.location && new URL(answer.location, answer.address).href, made, task.method !== 'DELETE' && here, ...above(task.page)]
  for (const way of ways.filter(Boolean).map(toLocal)) {
    const found = await ask(way, { method: 'HEAD' }).catch(() => undefined)
    if (isLeft(task)) return tell(said)
    if (found?.ok) return way.split(/[?#]/)[0] === here.split('?')[0] ? again({ said }) : go(way, { said })
  }
  return again({ said })
}

/** Where to go from what is not there any more, or not for who has just given it away. */
function above(page) {
  const { collection = [], up = [] } = page.answer.links
  return [...collection, ...up, ...[...document.querySelectorAll('.trail a')].map((it) => it.href).reverse()]
}

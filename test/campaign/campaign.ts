/** One campaign on one engine. */
import type { Connection } from '../../src/core/connection.ts'
import { later } from '../harness.ts'
import { chaos } from './chaos.ts'
import { attemptsOf, faultsOf, isAmbiguous } from './judge.ts'
import { type CampaignOptions, chance } from './options.ts'
import { openStage, type Subject } from './stage.ts'

export interface Report {
  readonly violations: string[]
  readonly lines: string[]
}

export const campaign = async (options: CampaignOptions, progress: (line: string) => void): Promise<Report> => {
  const { engine, timing } = options
  const stage = await openStage({ ...options, lookForDue: 250 })
  const { ledger, calm, rooms, fleet, subjects, read, connect } = stage
  try {
    const random = chance(options.seed)
    progress(`${subjects.length} connections`)

    const violations = new Set<string>()
    const counts = { reads: 0, served: 0, dead: 0, flagged: 0, reconnected: 0, metadata: 0 }
    const row = (subject: Subject) =>
      rooms.storage.connection(rooms.firstEnvironment.id, 'rotating', subject.name).catch(() => undefined)
    /** A dead one must say why, and be right. */
    const inquest = (subject: Subject, found: Connection) => {
      counts.flagged++
      const evidence = { steps: fleet.steps(), gaps: fleet.gaps, timing }
      const attempts = attemptsOf(evidence.steps).get(subject.id) ?? []
      const spent = [...ledger.tokens.values()]
        .filter(each => each.family === subject.family)
        .flatMap(each => (each.uses.some(use => use.outcome === 'invalid_refresh_token') ? each.uses : []))
        .filter(use => use.outcome === 'ok')
      const proven = spent.some(use => isAmbiguous(use, attempts, evidence))
      if (found.statusCause !== 'refresh_ambiguous' || !proven)
        violations.add(
          `false flag: ${subject.id} was flagged ${found.statusCause}${proven ? '' : ', and nothing was lost'}`,
        )
    }
    const repair = async (subject: Subject): Promise<void> => {
      if (subject.busy) return
      subject.busy = true
      try {
        const found = await row(subject)
        if (found?.status !== 'reauthorization_required') return
        inquest(subject, found)
        if (await connect(subject)) counts.reconnected++
      } finally {
        subject.busy = false
      }
    }

    let over = false
    const pick = () => subjects[Math.floor(Math.random() * subjects.length)] as Subject
    const readers = Array.from({ length: 8 }, async () => {
      while (!over) {
        const subject = pick()
        const answer = await read(subject.name, Math.random)
        counts.reads++
        if (answer?.status === 200) counts.served++
        if (answer?.status === 400) await repair(subject)
        await later(Math.random() * 40)
      }
    })
    // What is set beside a refresh must not be lost in it, and an end user may come back in the middle of one.
    const writer = (async () => {
      while (!over) {
        const subject = pick()
        const count = subject.count + 1
        const set = await rooms.storage
          .setMetadata(rooms.firstEnvironment.id, subject.id, { count }, 'merge', new Date())
          .catch(() => undefined)
        if (set) {
          subject.count = count
          counts.metadata++
        }
        if (!subject.busy && Math.random() < 0.05) {
          subject.busy = true
          if (await connect(subject)) counts.reconnected++
          subject.busy = false
        }
        await later(Math.random() * 60)
      }
    })()
    const trouble = chaos({ ...stage, options, random })

    const began = Date.now()
    let told = began
    const enough = () => ledger.counts.refreshed >= options.expiries && trouble.missed().length === 0
    while (!enough() && Date.now() - began < options.atMost) {
      await later(100)
      if (Date.now() - told < 10_000) continue
      told = Date.now()
      progress(
        `${ledger.counts.refreshed} of ${options.expiries} renewed, ${counts.flagged} flagged, ${trouble.count()} faults`,
      )
    }
    const reached = ledger.counts.refreshed
    await trouble.stop()
    calm()
    over = true
    await Promise.all([...readers, writer])

    // Quiet now: whatever was begun ends, and what is ambiguous is decided.
    await later(timing.call + timing.lease + timing.straggler)
    for (const subject of subjects) {
      const deadline = Date.now() + 40_000
      for (;;) {
        const answer = await read(subject.name, random)
        const known = answer && ledger.access(answer.token)
        if (answer?.status === 200 && known) {
          if (known.family !== subject.family)
            violations.add(`lost write: ${subject.id} holds an approval that another had replaced`)
          if (known.endsAt <= Date.now() || ledger.families[known.family]?.dead) {
            if (Date.now() > deadline) {
              violations.add(`dead: ${subject.id} is served a token that is dead`)
              break
            }
          } else break
        } else if (answer?.status === 400) {
          const found = await row(subject)
          if (found?.status === 'reauthorization_required') inquest(subject, found)
          else violations.add(`dead: ${subject.id} answers 400 and is not flagged`)
          break
        } else if (Date.now() > deadline) {
          violations.add(`dead: ${subject.id} still answers ${answer?.status ?? 'nothing'}`)
          break
        }
        await later(200)
      }
      const found = await row(subject)
      if (found && found.metadata['count'] !== undefined && Number(found.metadata['count']) < subject.count)
        violations.add(
          `lost write: ${subject.id} has metadata ${found.metadata['count']}, and ${subject.count} was set`,
        )
    }
    const evidence = { steps: fleet.steps(), gaps: fleet.gaps, timing }
    const attempts = attemptsOf(evidence.steps)
    for (const token of ledger.tokens.values()) {
      const id = connect.made.get(token.family) ?? ''
      for (const fault of faultsOf(id, token, attempts.get(id) ?? [], evidence)) violations.add(fault)
    }
    for (const missed of trouble.missed()) violations.add(`too short: nothing was ever ${missed}`)
    if (reached < options.expiries)
      violations.add(`too slow: ${reached} of ${options.expiries} tokens were renewed in ${options.atMost / 1000} s`)
    if (fleet.output().includes('ended by itself')) violations.add(`a hub ended by itself:\n${fleet.output()}`)

    return {
      violations: [...violations],
      lines: [
        `${engine}: ${reached} tokens renewed by ${ledger.counts.calls} calls in ${Math.round((Date.now() - began) / 1000)} s`,
        `  ${counts.reads} reads, ${counts.served} answered with a token; metadata set ${counts.metadata} times; connected again ${counts.reconnected} times`,
        `  faults: ${trouble.tally()}`,
        `  ${ledger.counts.reused} spent tokens presented again, ${counts.flagged} connections flagged`,
        `  double spends: ${[...violations].filter(each => each.startsWith('double spend')).length}, dead without proof: ${[...violations].filter(each => /^(dead|false flag)/.test(each)).length}, lost writes: ${[...violations].filter(each => each.startsWith('lost write')).length}`,
      ],
    }
  } finally {
    await stage.close()
  }
}

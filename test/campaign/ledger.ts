/** What the provider knows: every refresh token it gave, who it is of, and each time that one was presented. */
import type { Call } from '@mortise/sandbox'

/** A refresh token, as the provider counts them. */
export interface Token {
  /** Of which approval: all that descends from one. */
  readonly family: number
  /** 0 for what the code gave. */
  readonly generation: number
  /** When it was presented, and how that ended. */
  readonly uses: Use[]
  next?: Token
}

export interface Use {
  readonly at: number
  readonly outcome: Call['outcome']
  /** What the campaign did to the answer: so it may not have arrived. */
  readonly harmed: 'lost' | 'late' | 'failed' | undefined
}

export interface Access {
  readonly family: number
  readonly endsAt: number
}

export const createLedger = (lifetime: number) => {
  const tokens = new Map<string, Token>()
  const access = new Map<string, Access>()
  const families: { dead: boolean; latest: Token | undefined }[] = []
  let [made, answers] = [0, { refresh: '', access: '' }]
  const counts = { refreshed: 0, reused: 0, calls: 0 }
  /** How long answers are held back, as the campaign has set it. */
  let held = { late: false }

  const issue = (family: number, generation: number): Token => {
    const token: Token = { family, generation, uses: [] }
    tokens.set(answers.refresh, token)
    access.set(answers.access, { family, endsAt: Date.now() + lifetime * 1000 })
    const one = families[family]
    if (one) one.latest = token
    return token
  }

  return {
    counts,
    tokens,
    families,
    access: (token: string) => access.get(token),
    /** Values for the sandbox to hand out. */
    switches: {
      refreshToken: () => {
        answers = { ...answers, refresh: `rt-${++made}-${Math.random().toString(36).slice(2)}` }
        return answers.refresh
      },
      accessToken: () => {
        answers = { ...answers, access: `at-${++made}-${Math.random().toString(36).slice(2)}` }
        return answers.access
      },
    },
    hold(late: boolean) {
      held = { late }
    },
    /** Every call, as the sandbox tells of it. */
    watch(call: Call, refreshToken: string | undefined): void {
      if (call.kind === 'code' && call.outcome === 'ok') {
        families.push({ dead: false, latest: undefined })
        issue(families.length - 1, 0)
      }
      if (call.kind !== 'refresh' || refreshToken === undefined) return
      counts.calls++
      const token = tokens.get(refreshToken)
      if (!token) return
      const harmed = call.lost ? 'lost' : call.outcome === 'failed' ? 'failed' : held.late ? 'late' : undefined
      token.uses.push({ at: Date.now(), outcome: call.outcome, harmed })
      if (call.outcome === 'ok') {
        counts.refreshed++
        token.next = issue(token.family, token.generation + 1)
      } else if (call.outcome === 'invalid_refresh_token') {
        counts.reused++
        const family = families[token.family]
        if (family) family.dead = true
      }
    },
  }
}

export type Ledger = ReturnType<typeof createLedger>

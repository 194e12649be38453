import { createHash, randomUUID } from 'node:crypto'
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** What someone approved. Everything issued from one approval names it, and dies with it. */
export interface Grant {
  readonly id: string
  readonly provider: string
  readonly clientId: string
  readonly account: string
  readonly scopes: readonly string[]
  /** The parameters of the authorize request that carried them. */
  readonly scopesIn: readonly string[]
  /** The DNS labels the authorize URL was called with, e.g. the shop. */
  readonly labels: Readonly<Record<string, string>>
}

export interface Access {
  readonly grant: string
  readonly scopes: readonly string[]
  /** null: it does not expire. */
  expiresAt: number | null
  /** Of OAuth 1: signatures are checked with it, so here it is kept as it is. */
  readonly secret?: string
}

export interface Refresh {
  readonly grant: string
  /** When it was first used where each use spends it. */
  spentAt: number | null
  /** From when it counts as unused: its issue, or its last use where it stays. Absent in a state file of before. */
  idleSince?: number
}

export interface Code {
  readonly provider: string
  readonly clientId: string
  readonly redirectUri: string
  readonly challenge: string | null
  readonly account: string
  readonly scopes: readonly string[]
  readonly scopesIn: readonly string[]
  readonly labels: Readonly<Record<string, string>>
  readonly offline: boolean
  readonly expiresAt: number
  /** Set once it is used. */
  grant: string | null
}

const DEBOUNCE_MS = 200
/** An expired access token and an unused code are forgotten this long after. */
const KEEP_DEAD_MS = 10 * 60_000
const SWEEP_EVERY = 500

export const digest = (value: string): string => createHash('sha256').update(value).digest('base64url')

const TABLES = ['grants', 'access', 'refresh', 'codes'] as const

/** What each row of the state file must hold, so that a broken file is noticed when it is read and not later. */
const SHAPES: Readonly<Record<(typeof TABLES)[number], Readonly<Record<string, readonly string[]>>>> = {
  grants: {
    id: ['string'],
    provider: ['string'],
    clientId: ['string'],
    account: ['string'],
    scopes: ['strings'],
    scopesIn: ['strings'],
    labels: ['object'],
  },
  access: { grant: ['string'], scopes: ['strings'], expiresAt: ['number', 'null'], secret: ['string', 'undefined'] },
  refresh: { grant: ['string'], spentAt: ['number', 'null'], idleSince: ['number', 'undefined'] },
  codes: {
    provider: ['string'],
    clientId: ['string'],
    redirectUri: ['string'],
    challenge: ['string', 'null'],
    account: ['string'],
    scopes: ['strings'],
    scopesIn: ['strings'],
    labels: ['object'],
    offline: ['boolean'],
    expiresAt: ['number'],
    grant: ['string', 'null'],
  },
}

const kindOf = (value: unknown): string => {
  if (value === null) return 'null'
  if (Array.isArray(value)) return value.every(v => typeof v === 'string') ? 'strings' : 'array'
  return typeof value
}

const check = (state: unknown): Record<(typeof TABLES)[number], Record<string, unknown>> => {
  if (kindOf(state) !== 'object') throw new Error('it does not hold an object')
  const all = state as Record<string, unknown>
  if (all['version'] !== 1) throw new Error('its version is not 1')
  for (const table of TABLES) {
    const rows = all[table]
    if (kindOf(rows) !== 'object') throw new Error(`"${table}" is missing`)
    for (const row of Object.values(rows as Record<string, unknown>)) {
      if (kindOf(row) !== 'object') throw new Error(`"${table}" holds something that is no row`)
      for (const [column, kinds] of Object.entries(SHAPES[table])) {
        if (!kinds.includes(kindOf((row as Record<string, unknown>)[column]))) {
          throw new Error(`"${table}" holds a row whose ${column} is missing or of the wrong type`)
        }
      }
    }
  }
  return all as Record<(typeof TABLES)[number], Record<string, unknown>>
}

/** Grants, tokens and codes; tokens and codes by the SHA-256 of their value only (but see `Access.secret`). */
export class Store {
  readonly #file: string | undefined
  readonly #now: () => number
  #grants = new Map<string, Grant>()
  #access = new Map<string, Access>()
  #refresh = new Map<string, Refresh>()
  #codes = new Map<string, Code>()
  #timer: NodeJS.Timeout | undefined
  #changes = 0
  #dirty = false

  constructor(file: string | undefined, now: () => number) {
    this.#file = file
    this.#now = now
    if (file !== undefined) this.#load(file)
  }

  grant(id: string | null): Grant | undefined {
    return id === null ? undefined : this.#grants.get(id)
  }

  access(token: string): Access | undefined {
    return this.#access.get(digest(token))
  }

  refresh(token: string): Refresh | undefined {
    return this.#refresh.get(digest(token))
  }

  code(code: string): Code | undefined {
    return this.#codes.get(digest(code))
  }

  /** The access token with its grant, if it is alive. */
  live(token: string): { access: Access; grant: Grant } | undefined {
    const access = this.access(token)
    const grant = access && this.#grants.get(access.grant)
    if (!access || !grant || (access.expiresAt !== null && access.expiresAt <= this.#now())) return undefined
    return { access, grant }
  }

  addCode(code: string, row: Code): void {
    this.#codes.set(digest(code), row)
    this.#changed()
  }

  use(code: Code): Grant {
    const { provider, clientId, account, scopes, scopesIn, labels } = code
    const grant: Grant = { id: randomUUID(), provider, clientId, account, scopes, scopesIn, labels }
    this.#grants.set(grant.id, grant)
    code.grant = grant.id
    this.#changed()
    return grant
  }

  addAccess(token: string, row: Access): void {
    this.#access.set(digest(token), row)
    this.#changed()
  }

  addRefresh(token: string, grant: string): void {
    this.#refresh.set(digest(token), { grant, spentAt: null, idleSince: this.#now() })
    this.#changed()
  }

  spend(refresh: Refresh): void {
    refresh.spentAt ??= this.#now()
    this.#changed()
  }

  touch(refresh: Refresh): void {
    refresh.idleSince = this.#now()
    this.#changed()
  }

  /** The grace of every refresh token of the grant that was spent: as if that were long ago. */
  endGrace(grant: string): void {
    for (const row of this.#refresh.values()) if (row.grant === grant && row.spentAt !== null) row.spentAt = 0
    this.#changed()
  }

  /** Of the grant's access tokens that are alive, the newest stay. A map keeps the order in which they were issued. */
  keepNewest(grant: string, count: number): void {
    const now = this.#now()
    const alive = [...this.#access].filter(
      ([, row]) => row.grant === grant && (row.expiresAt === null || row.expiresAt > now),
    )
    for (const [key] of alive.slice(0, Math.max(0, alive.length - count))) this.#access.delete(key)
    this.#changed()
  }

  expire(token: string): boolean {
    const found = this.live(token)
    if (!found) return false
    found.access.expiresAt = this.#now()
    this.#changed()
    return true
  }

  /** The code stays, so that using it again is still noticed as such. */
  revokeGrant(id: string): boolean {
    if (!this.#grants.delete(id)) return false
    for (const [key, row] of this.#access) if (row.grant === id) this.#access.delete(key)
    for (const [key, row] of this.#refresh) if (row.grant === id) this.#refresh.delete(key)
    this.#changed()
    return true
  }

  revoke(token: string): boolean {
    const row = this.access(token) ?? this.refresh(token)
    return row !== undefined && this.revokeGrant(row.grant)
  }

  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#dirty) this.#save()
  }

  #changed(): void {
    this.#changes++
    this.#dirty = true
    if (this.#changes % SWEEP_EVERY === 0) this.#sweep()
    if (this.#file === undefined || this.#timer !== undefined) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      try {
        this.#save()
      } catch (error) {
        console.error(`sandbox: cannot write ${this.#file}: ${error instanceof Error ? error.message : error}`)
      }
    }, DEBOUNCE_MS)
  }

  #sweep(): void {
    const old = this.#now() - KEEP_DEAD_MS
    for (const [key, row] of this.#access) {
      if (row.expiresAt !== null && row.expiresAt < old) this.#access.delete(key)
    }
    for (const [key, row] of this.#codes) {
      if (row.expiresAt < old && (row.grant === null || !this.#grants.has(row.grant))) this.#codes.delete(key)
    }
  }

  #save(): void {
    const file = this.#file
    if (file === undefined) return
    this.#sweep()
    const state = {
      version: 1,
      grants: Object.fromEntries(this.#grants),
      access: Object.fromEntries(this.#access),
      refresh: Object.fromEntries(this.#refresh),
      codes: Object.fromEntries(this.#codes),
    }
    mkdirSync(dirname(file), { recursive: true })
    const temporary = `${file}.${process.pid}.tmp`
    const handle = openSync(temporary, 'w', 0o600)
    try {
      writeFileSync(handle, `${JSON.stringify(state)}\n`)
      fsyncSync(handle)
    } finally {
      closeSync(handle)
    }
    renameSync(temporary, file)
    this.#dirty = false
  }

  #load(file: string): void {
    let content: string
    try {
      content = readFileSync(file, 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
      throw new Error(`The sandbox cannot read its state file ${file}: ${(error as Error).message}`)
    }
    try {
      const state = check(JSON.parse(content))
      this.#grants = new Map(Object.entries(state.grants as Record<string, Grant>))
      this.#access = new Map(Object.entries(state.access as Record<string, Access>))
      this.#refresh = new Map(Object.entries(state.refresh as Record<string, Refresh>))
      this.#codes = new Map(Object.entries(state.codes as Record<string, Code>))
    } catch (error) {
      // The parser's own message may quote the file.
      const why = error instanceof SyntaxError ? 'it is not JSON' : (error as Error).message
      throw new Error(`The sandbox's state file ${file} is broken (${why}). Remove it to start without any grants.`)
    }
  }
}

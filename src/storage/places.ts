/**
 * Where lists go on. Who pages by number mostly asks for the page after the one that was just answered: where that ended is
 * remembered, so that the rows before it are not counted once more. A number means a place for as long only as no row came or
 * went: what this process writes voids all places, and what another writes is known after `lasts` at most.
 */
import type { Cursor, ListFilter, Storage } from '../core/storage.ts'

/** For how long a place is good, in milliseconds. */
const lasts = 500
/** Of so many lists and pages; the oldest gives way. */
const most = 1000

export interface Places {
  /** What comes before so many rows have been passed over, where that is known. */
  at(environmentId: number, filter: ListFilter, skip: number): Cursor | undefined
  /** To be asked before a page is read; what it answers notes where that page ended, if nothing was written meanwhile. */
  reading(): (environmentId: number, filter: ListFilter, skip: number, last: Cursor) => void
  forget(): void
}

const nameOf = (environmentId: number, filter: ListFilter, skip: number): string =>
  JSON.stringify([environmentId, skip, Object.entries(filter).sort(([a], [b]) => (a < b ? -1 : 1))])

export const createPlaces = (now: () => number = () => performance.now()): Places => {
  const known = new Map<string, { readonly cursor: Cursor; readonly at: number }>()
  let writes = 0
  return {
    at(environmentId, filter, skip) {
      const place = known.get(nameOf(environmentId, filter, skip))
      return place && now() - place.at < lasts ? place.cursor : undefined
    },
    reading() {
      const [before, at] = [writes, now()]
      return (environmentId, filter, skip, { createdAt, id }) => {
        if (before !== writes) return
        const name = nameOf(environmentId, filter, skip)
        known.delete(name)
        known.set(name, { cursor: { createdAt, id }, at })
        for (const oldest of known.keys()) {
          if (known.size <= most) break
          known.delete(oldest)
        }
      }
    },
    forget() {
      writes++
      known.clear()
    },
  }
}

/** Forgets with each write that may change which rows a list has. */
export const forgetting = (storage: Storage, { forget }: Places): Storage => {
  const shifting =
    <Given extends unknown[], T>(write: (...given: Given) => Promise<T>) =>
    (...given: Given): Promise<T> =>
      write(...given).finally(forget)
  return {
    ...storage,
    authorize: shifting(storage.authorize),
    patchConnection: shifting(storage.patchConnection),
    deleteConnection: shifting(storage.deleteConnection),
    updateEndUser: shifting(storage.updateEndUser),
    tellEndUser: shifting(storage.tellEndUser),
    deleteEndUser: shifting(storage.deleteEndUser),
    restoreEndUsers: shifting(storage.restoreEndUsers),
    restoreConnections: shifting(storage.restoreConnections),
  }
}

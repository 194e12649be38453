/** The table of refreshes, as the database holds it. */
export interface RefreshTables {
  refreshes: {
    environment_id: number
    id: string
    provider: string
    due_at: number | null
    lease_holder: string | null
    lease_fence: number
    lease_until: number
    mark_digest: string | null
    mark_first_at: number | null
    mark_at: number | null
    probes: number
    failures: number
    failed_at: number | null
    wait_until: number | null
    restored_revision: number | null
  }
}

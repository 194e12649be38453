/** Rows of connect sessions, and what is left of deleted connections. */
export interface SessionTables {
  connect_sessions: {
    environment_id: number
    id: string
    token_hash: string
    integration_key: string
    end_user_id: string
    caller: string
    opens: string
    dialect: string
    duplicate: number
    params_json: string
    name: string | null
    return_to: string | null
    state_hash: string | null
    state: Uint8Array | null
    state_given: number
    choice_json: string | null
    repairs: string | null
    browser_hash: string | null
    code_hash: string | null
    code: Uint8Array | null
    connection_row: string | null
    outcome_json: string | null
    finished_at: number | null
    created_at: number
    expires_at: number
  }
  deleted_connections: {
    environment_id: number
    id: string
    integration_key: string
    connection_id: string
    end_user_id: string
    deleted_at: number
    merged_into: string | null
  }
}

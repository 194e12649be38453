/** Rows of end users, and of the tags that connections are found by. */
export interface PeopleTables {
  end_users: {
    environment_id: number
    id: string
    username: string
    full_name: string | null
    email: string | null
    tags_json: string | null
    organization_id: string | null
    organization_name: string | null
    created_at: number
    updated_at: number
  }
  connection_tags: {
    environment_id: number
    name: string
    value: string
    created_at: number
    id: string
  }
}

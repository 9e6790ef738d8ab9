# Atlas: desired state in schema/*.sql, versioned migrations in schema/migrations. `smarket migrate up` applies the same files
# through Atlas' library on the same revision table, and River's tables after them: prefer it on a running installation.
#
#   atlas migrate diff NAME  --env postgres --var dev_url=postgres://...   a new migration from a change of the desired state
#   atlas migrate hash       --env postgres                                 after a migration was edited by hand
#   atlas migrate status     --env postgres --var url=$DATABASE_URL
#   atlas migrate lint       --env ci --latest 1 --var dev_url=postgres://...   refuses migrations that lose data
#
# Put ?search_path=public into PostgreSQL addresses of `diff` and `lint`, so that statements do not name the schema.
# River's tables (river_*) are excluded from drift. This CLI (v0.13.1) cannot exclude enum types, so `atlas schema diff` from a
# running PostgreSQL also reports river_job_state; schema/drift_test.go compares with the library, which can.
#
# Down migrations are ours (the community Atlas has none): schema/migrations/DIALECT/down/VERSION.sql, run by
# `smarket migrate down --to VERSION`.

variable "url" {
  type        = string
  default     = ""
  description = "The database to migrate. postgres://... or sqlite://data/smarket.db"
}

variable "dev_url" {
  type        = string
  default     = ""
  description = "An empty PostgreSQL database that Atlas may fill and empty while it computes: never one that is used."
}

env "sqlite" {
  src     = "file://schema/sqlite.sql"
  url     = var.url == "" ? "sqlite://data/smarket.db" : var.url
  dev     = "sqlite://dev?mode=memory"
  exclude = ["river_*", "atlas_schema_revisions"]
  migration {
    dir = "file://schema/migrations/sqlite"
  }
  format {
    migrate {
      diff = "{{ sql . \"  \" }}"
    }
  }
}

env "postgres" {
  src     = "file://schema/postgres.sql"
  url     = var.url
  dev     = var.dev_url
  schemas = ["public"]
  exclude = ["river_*", "atlas_schema_revisions"]
  migration {
    dir              = "file://schema/migrations/postgres"
    revisions_schema = "public" # beside the tables, where the library keeps it
  }
  format {
    migrate {
      diff = "{{ sql . \"  \" }}"
    }
  }
}

env "ci" {
  src     = "file://schema/postgres.sql"
  dev     = var.dev_url
  schemas = ["public"]
  exclude = ["river_*", "atlas_schema_revisions"]
  migration {
    dir              = "file://schema/migrations/postgres"
    revisions_schema = "public"
  }
  lint {
    destructive {
      error = true
    }
    data_depend {
      error = true
    }
  }
}

//! The versions of the tables.

use std::borrow::Cow;

use sqlx::{
    SqlStr,
    migrate::{Migration, MigrationType, Migrator},
};

use super::Dialect;

/// One version: a file for both kinds of database, in the SQL that they share,
/// or a second one where they share none (triggers). A test holds that the
/// tables are the same.
struct Version {
    number: i64,
    name: &'static str,
    sql: &'static str,
    postgres: Option<&'static str>,
}

/// In order. Listed by hand: the macro that would find them has SQLite compiled
/// a second time, for the compiler's own use.
const VERSIONS: &[Version] = &[
    Version {
        number: 1,
        name: "jobs",
        sql: include_str!("../../../migrations/0001_jobs.sql"),
        postgres: None,
    },
    Version {
        number: 2,
        name: "submissions",
        sql: include_str!("../../../migrations/0002_submissions.sql"),
        postgres: None,
    },
    Version {
        number: 3,
        name: "audit",
        sql: include_str!("../../../migrations/0003_audit.sql"),
        postgres: Some(include_str!("../../../migrations/postgres/0003_audit.sql")),
    },
    Version {
        number: 4,
        name: "attempts",
        sql: include_str!("../../../migrations/0004_attempts.sql"),
        postgres: None,
    },
    Version {
        number: 5,
        name: "leadership",
        sql: include_str!("../../../migrations/0005_leadership.sql"),
        postgres: None,
    },
    Version {
        number: 6,
        name: "approvals",
        sql: include_str!("../../../migrations/0006_approvals.sql"),
        postgres: None,
    },
    Version {
        number: 7,
        name: "job_log",
        sql: include_str!("../../../migrations/0007_job_log.sql"),
        postgres: None,
    },
    Version {
        number: 8,
        name: "scheduling",
        sql: include_str!("../../../migrations/0008_scheduling.sql"),
        postgres: None,
    },
    Version {
        number: 9,
        name: "draining",
        sql: include_str!("../../../migrations/0009_draining.sql"),
        postgres: None,
    },
    Version {
        number: 10,
        name: "key_rotation",
        sql: include_str!("../../../migrations/0010_key_rotation.sql"),
        postgres: None,
    },
    Version {
        number: 11,
        name: "wire_version",
        sql: include_str!("../../../migrations/0011_wire_version.sql"),
        postgres: None,
    },
];

/// All of them.
pub(super) fn all(dialect: Dialect) -> Migrator {
    up_to(i64::MAX, dialect)
}

/// Those up to a number.
pub(super) fn up_to(last: i64, dialect: Dialect) -> Migrator {
    let wanted = VERSIONS.iter().filter(|version| version.number <= last);
    let migration = |version: &Version| {
        let sql = match (dialect, version.postgres) {
            (Dialect::Postgres, Some(sql)) => sql,
            _ => version.sql,
        };
        let (kind, name) = (MigrationType::Simple, Cow::Borrowed(version.name));
        Migration::new(version.number, name, kind, SqlStr::from_static(sql), false)
    };
    Migrator::with_migrations(wanted.map(migration).collect())
}

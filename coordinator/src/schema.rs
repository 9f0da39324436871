//! Forms that a schema can tell of and a type of the standard library or of
//! another crate does not.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// A moment as RFC 3339 writes it: `2026-11-21T14:00:00Z`.
pub(crate) struct Moment;

/// An identity as certificates have it: `user/alice`.
pub(crate) struct Who;

impl JsonSchema for Moment {
    fn schema_name() -> Cow<'static, str> {
        "Moment".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "format": "date-time",
            "description": "A moment (RFC 3339): 2026-11-21T14:00:00Z.",
        })
    }
}

impl JsonSchema for Who {
    fn schema_name() -> Cow<'static, str> {
        "Who".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^(party|coordinator|user|operator|reader)/[a-z0-9-]+$",
            "description": "Who, as their certificate says: user/alice.",
        })
    }
}

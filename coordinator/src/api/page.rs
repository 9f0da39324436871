//! A page of something numbered, oldest first.

use actix_web::{HttpRequest, web};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    LARGEST_PAGE,
    problem::{Kind, Problem},
};

/// Which page: its query.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    /// What is behind this number.
    #[serde(default)]
    after: u32,
    /// So much at most, 1 to 1000. Left out: 1000.
    limit: Option<usize>,
}

impl Page {
    /// Read from a query.
    pub(super) fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let unreadable = |error: &dyn core::fmt::Display| {
            let detail = format!(
                "the query is not understood: {error}; use after (an entry's number) and limit \
                 (1 to {LARGEST_PAGE}), as in ?after=40&limit=20"
            );
            Problem::new(Kind::Unreadable, detail)
        };
        let page = web::Query::<Self>::from_query(request.query_string())
            .map_err(|error| unreadable(&error))?
            .into_inner();
        match page.limit() {
            1..=LARGEST_PAGE => Ok(page),
            limit => Err(unreadable(&format!("limit is {limit}"))),
        }
    }

    pub(super) fn after(&self) -> u64 {
        self.after.into()
    }

    fn limit(&self) -> usize {
        self.limit.unwrap_or(LARGEST_PAGE)
    }

    /// How many to fetch: one more tells whether there is a page behind.
    pub(super) fn one_more(&self) -> u32 {
        u32::try_from(self.limit() + 1).unwrap_or(u32::MAX)
    }

    /// Leaves what is on the page, and says what the next one is behind; nothing if
    /// this is the last.
    pub(super) fn cut<T>(&self, fetched: &mut Vec<T>, number: fn(&T) -> u64) -> Option<u64> {
        let more = fetched.len() > self.limit();
        fetched.truncate(self.limit());
        fetched.last().map(number).filter(|_| more)
    }
}

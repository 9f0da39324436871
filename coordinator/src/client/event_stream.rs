//! Server-sent events, taken apart (WHATWG HTML, 9.2.6): so much of it as a
//! coordinator sends.

/// An event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event {
    /// What to say when one comes back.
    pub(super) id: Option<String>,
    /// What it tells.
    pub(super) data: String,
}

/// Takes a stream apart, however it is cut.
#[derive(Debug, Default)]
pub(super) struct Parser {
    line: Vec<u8>,
    id: Option<String>,
    data: Option<String>,
}

/// An event longer than this is none of a coordinator's.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooLong;

impl Parser {
    /// A job with the most attempts, with room to spare.
    const MAX_BYTES: usize = 4 << 20;

    /// Takes in some bytes, and gives the events that are whole with them.
    ///
    /// # Errors
    /// [`TooLong`]
    pub(super) fn take_in(&mut self, bytes: &[u8]) -> Result<Vec<Event>, TooLong> {
        let mut events = Vec::new();
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            let kept = self.line.len() + self.data.as_ref().map_or(0, String::len);
            if kept + part.len() > Self::MAX_BYTES {
                return Err(TooLong);
            }
            self.line.extend_from_slice(part);
            if part.ends_with(b"\n") {
                let line = std::mem::take(&mut self.line);
                let line = String::from_utf8_lossy(&line);
                events.extend(self.line(line.trim_end_matches(['\r', '\n'])));
            }
        }
        Ok(events)
    }

    fn line(&mut self, line: &str) -> Option<Event> {
        if line.is_empty() {
            let id = self.id.take();
            return self.data.take().map(|data| Event { id, data });
        }
        // A comment begins with the colon: its field has no name.
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match (field, &mut self.data) {
            ("id", _) => self.id = Some(value.to_owned()),
            ("data", None) => self.data = Some(value.to_owned()),
            ("data", Some(data)) => {
                data.push('\n');
                data.push_str(value);
            }
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    const STREAM: &str = ": hello\n\nid: 1-a\nevent: job\ndata: {\"λ\":1}\n\n\
                          id:2-b\r\ndata:one\r\ndata: two\r\n\r\n: still so\n\ndata: cut";

    fn expected() -> Vec<Event> {
        let event = |id: &str, data: &str| Event {
            id: Some(id.into()),
            data: data.into(),
        };
        vec![event("1-a", "{\"λ\":1}"), event("2-b", "one\ntwo")]
    }

    proptest! {
        #[test]
        fn a_stream_says_the_same_however_it_is_cut(
            cuts in proptest::collection::vec(0..=STREAM.len(), 0..8)
        ) {
            let mut cuts = cuts;
            cuts.extend([0, STREAM.len()]);
            cuts.sort_unstable();
            let mut parser = Parser::default();
            let mut events = Vec::new();
            for pair in cuts.windows(2) {
                events.extend(parser.take_in(&STREAM.as_bytes()[pair[0]..pair[1]]).unwrap());
            }
            prop_assert_eq!(events, expected());
        }
    }

    #[test]
    fn an_event_without_end_is_no_event() {
        let mut parser = Parser::default();
        let mib = vec![b'x'; 1 << 20];
        let taken = (0..8).try_for_each(|_| parser.take_in(&mib).map(|_| ()));
        assert_eq!(taken, Err(TooLong));
    }
}

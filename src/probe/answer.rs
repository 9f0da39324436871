//! One request over one line, and what came of it.

use std::io::{self, Write};

use entente_tls::TlsError;

use crate::line::{self, Deadline, Line, NoLine};

/// Longer than anything that is asked for here is.
const MOST_BYTES: usize = 64 << 10;

/// What a service has answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) text: String,
}

/// Asks for `path`. HTTP/1.0, in which an answer ends with the connection.
///
/// # Errors
/// [`NoLine::Refused`] when there is no whole answer before the deadline.
pub(super) fn get(line: &mut Line, path: &str, deadline: Deadline) -> Result<Answer, NoLine> {
    let refused = |error: io::Error| NoLine::Refused(TlsError::handshake(error));
    let request = format!("GET {path} HTTP/1.0\r\nhost: localhost\r\n\r\n");
    line.write_all(request.as_bytes()).map_err(refused)?;
    let mut heard = Vec::new();
    let mut part = [0; 4096];
    loop {
        match line::read_some(line, &mut part, deadline) {
            Ok(0) => break,
            Ok(count) => heard.extend_from_slice(&part[..count]),
            // Who hangs up without a farewell may have said all.
            Err(_) if parse(&heard).is_some() => break,
            Err(error) => return Err(error),
        }
        if heard.len() > MOST_BYTES || is_whole(&heard) {
            break;
        }
    }
    parse(&heard).ok_or_else(|| refused(io::ErrorKind::InvalidData.into()))
}

/// Whether all that was announced is there.
fn is_whole(heard: &[u8]) -> bool {
    let Some((head, body)) = split(heard) else {
        return false;
    };
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_length = name.eq_ignore_ascii_case("content-length");
        is_length.then(|| value.trim().parse::<usize>().ok())?
    });
    length.is_some_and(|length| body.len() >= length)
}

fn parse(heard: &[u8]) -> Option<Answer> {
    let (head, body) = split(heard)?;
    let mut words = head.lines().next()?.split(' ');
    let status = words
        .next()
        .filter(|word| word.starts_with("HTTP/1."))
        .and_then(|_| words.next()?.parse().ok())?;
    let text = String::from_utf8_lossy(body).trim_end().to_owned();
    Some(Answer { status, text })
}

fn split(heard: &[u8]) -> Option<(&str, &[u8])> {
    let end = heard.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&heard[..end]).ok()?;
    Some((head, &heard[end + 4..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_and_what_is_none_is_not() {
        let answer = |heard: &[u8]| parse(heard).map(|answer| (answer.status, answer.text));
        let whole = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 6\r\n\r\nready\n";
        assert_eq!(answer(whole), Some((503, "ready".to_owned())));
        assert!(is_whole(whole));
        assert!(!is_whole(&whole[..whole.len() - 1]));
        // Without a length the connection's end is the answer's.
        assert!(!is_whole(b"HTTP/1.0 200 OK\r\n\r\nready\n"));
        for heard in [
            &b""[..],
            b"HTTP/1.1 200 OK\r\n",
            b"SSH-2.0-x\r\n\r\n",
            b"HTTP/1.1 fine\r\n\r\n",
        ] {
            assert_eq!(answer(heard), None);
        }
    }
}

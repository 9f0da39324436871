//! What a query asks for, without a parser of the whole language: Prometheus's
//! own tools judge the grammar, here it is names that count.

use std::collections::BTreeSet;

/// Series that a query selects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Selector {
    pub(crate) name: String,
    /// Labels in its braces.
    pub(crate) labels: Vec<String>,
    /// As it stands there, without a range behind it.
    pub(crate) text: String,
}

/// What a query mentions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Mentions {
    pub(crate) selectors: Vec<Selector>,
    /// Labels by which it groups or joins.
    pub(crate) grouping: BTreeSet<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    Word(&'a str),
    Text,
    Number,
    Sign(char),
}

const OPERATORS: [&str; 5] = ["and", "or", "unless", "bool", "offset"];
const LISTS: [&str; 6] = [
    "by",
    "without",
    "on",
    "ignoring",
    "group_left",
    "group_right",
];

/// Words, numbers, texts and signs, each with where it begins and ends.
fn tokens(query: &str) -> Vec<(Token<'_>, usize, usize)> {
    let mut tokens = Vec::new();
    let mut rest = query.char_indices().peekable();
    while let Some((begin, first)) = rest.next() {
        let mut end = begin + first.len_utf8();
        let mut take = |may: &dyn Fn(char) -> bool| {
            while let Some((at, next)) = rest.next_if(|(_, next)| may(*next)) {
                end = at + next.len_utf8();
            }
            end
        };
        let in_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
        let token = match first {
            c if c.is_whitespace() => continue,
            c if c.is_ascii_alphabetic() || c == '_' || c == '$' => {
                end = take(&in_word);
                Token::Word(&query[begin..end])
            }
            // Durations, too: 5m, 1h30m.
            c if c.is_ascii_digit() => {
                end = take(&|c| c.is_ascii_alphanumeric() || c == '.');
                Token::Number
            }
            '"' => {
                take(&|c| c != '"');
                let (at, _) = rest.next().expect("a text that ends");
                end = at + 1;
                Token::Text
            }
            sign => Token::Sign(sign),
        };
        tokens.push((token, begin, end));
    }
    tokens
}

/// What `query` mentions.
pub(crate) fn mentions(query: &str) -> Mentions {
    let tokens = tokens(query);
    let kind = |at: usize| tokens.get(at).map(|(token, ..)| *token);
    // From behind an opening sign to its closing one: the words in between.
    let until = |mut at: usize, closing: char| {
        let mut words = Vec::new();
        loop {
            match kind(at) {
                Some(Token::Sign(sign)) if sign == closing => return (words, at),
                Some(Token::Word(word)) => words.push(word.to_owned()),
                Some(_) => {}
                None => panic!("{query}: no {closing} behind the rest"),
            }
            at += 1;
        }
    };
    let mut found = Mentions::default();
    let mut at = 0;
    while let Some(token) = kind(at) {
        let next = kind(at + 1);
        match token {
            Token::Word(word) if LISTS.contains(&word) => {
                // group_left may stand alone.
                if next == Some(Token::Sign('(')) {
                    let (words, end) = until(at + 2, ')');
                    found.grouping.extend(words);
                    at = end;
                }
            }
            Token::Word(word) if OPERATORS.contains(&word) => {}
            // A function or an aggregation.
            Token::Word(_) if next == Some(Token::Sign('(')) => {}
            Token::Word(_) if matches!(next, Some(Token::Word("by" | "without"))) => {}
            Token::Word(name) => {
                let (mut labels, begin) = (Vec::new(), tokens[at].1);
                if next == Some(Token::Sign('{')) {
                    (labels, at) = until(at + 2, '}');
                }
                found.selectors.push(Selector {
                    name: name.to_owned(),
                    labels,
                    text: query[begin..tokens[at].2].to_owned(),
                });
            }
            Token::Sign('[') => (_, at) = until(at + 1, ']'),
            Token::Sign('{') => panic!("{query}: a selector without a name"),
            Token::Sign(_) | Token::Text | Token::Number => {}
        }
        at += 1;
    }
    found
}

/// The labels in `{{label}}` of a legend.
pub(crate) fn legend_labels(legend: &str) -> Vec<String> {
    let parts = legend.split("{{").skip(1);
    parts
        .filter_map(|part| part.split_once("}}"))
        .map(|(label, _)| label.trim().to_owned())
        .collect()
}

#[test]
fn selectors_and_groups_are_found() {
    let query = r#"sum by (party, le) (rate(a_bucket{party=~"$party|x}", to!="y"}[$__rate_interval]))
        / on (party) group_left max(b) > 0.5 and (time() - c:d{} offset 5m > 1e3)"#;
    let found = mentions(query);
    let selectors: Vec<(&str, &str)> = found
        .selectors
        .iter()
        .map(|one| (one.name.as_str(), one.text.as_str()))
        .collect();
    let first = r#"a_bucket{party=~"$party|x}", to!="y"}"#;
    assert_eq!(
        selectors,
        [("a_bucket", first), ("b", "b"), ("c:d", "c:d{}")]
    );
    assert_eq!(found.selectors[0].labels, ["party", "to"]);
    assert_eq!(Vec::from_iter(found.grouping), ["le", "party"]);
    assert_eq!(legend_labels("{{a}}: {{ b }}, c"), ["a", "b"]);
}

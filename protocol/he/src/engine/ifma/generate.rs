//! What writes `straight.rs`.
//!
//! ```text
//! ENTENTE_WRITE_KERNELS=1 cargo test -p entente-he the_kernels_are_what
//! ```

#![allow(clippy::unwrap_used)]

use core::fmt::Write as _;
use std::{env, fs, path::Path};

/// Limbs that are kept in registers: ten of a factor, ten columns of the
/// product, and what streams past, of 32 registers.
const T: usize = 10;

const HEAD: &str = "\
// Written by generate.rs: change that.

use core::cell::Cell;

use super::vector::{add, and, carried, hi, lo, load, peek, poke, spread, store};
use crate::engine::{ifma::LIMB_MAX, line::Line};

/// Limbs of the numbers that these kernels take are a multiple of this.
pub(in crate::engine::ifma) const TILE: usize = 10;

kernel! {
";

/// Text with an indentation.
struct Source {
    text: String,
    depth: usize,
}

impl Source {
    fn line(&mut self, line: &str) {
        if line.starts_with('}') {
            self.depth -= 1;
        }
        let indent = if line.is_empty() { 0 } else { 4 * self.depth };
        writeln!(self.text, "{:indent$}{line}", "").unwrap();
        if line.ends_with('{') {
            self.depth += 1;
        }
    }

    fn lines(&mut self, lines: impl IntoIterator<Item = String>) {
        lines.into_iter().for_each(|line| self.line(&line));
    }

    /// One limb streams past T others: T columns get its products, the lowest
    /// is complete.
    fn step(&mut self, r: char) {
        self.lines((0..T).map(|i| format!("w{i} = lo(w{i}, {r}{i}, x);")));
        self.lines((0..T - 1).map(|i| format!("w{} = hi(w{}, {r}{i}, x);", i + 1, i + 1)));
        self.line(&format!("t = hi(t, {r}{}, x);", T - 1));
        self.line("poke(out, w0);");
        self.lines((0..T - 1).map(|i| format!("w{i} = w{};", i + 1)));
        self.line(&format!("w{} = t;", T - 1));
    }

    /// The limbs of `streamed` past T limbs named `r`; columns from `window[0]`
    /// on. The first `known` of the columns that come up hold sums, the others
    /// nothing yet.
    fn band(&mut self, streamed: &str, convert: &str, r: char, known: Option<&str>) {
        let stepping = |head: &str| {
            format!("for ((x, out), next) in {head}.iter().zip(window).zip(&window[TILE..]) {{")
        };
        match known {
            Some(known) => {
                self.line(&format!("let (head, tail) = {streamed}.split_at({known});"));
                self.line(&stepping("head"));
            }
            None => self.line(&stepping(streamed)),
        }
        self.line(&format!("let x = {convert};"));
        self.line("let mut t = peek(next);");
        self.step(r);
        self.line("}");
        if known.is_some() {
            self.line("for (x, out) in tail.iter().zip(&window[head.len()..]) {");
            self.line(&format!("let x = {convert};"));
            self.line("let mut t = zero;");
            self.step(r);
            self.line("}");
        }
        self.line(&format!("let window = &window[{streamed}.len()..];"));
        self.lines((0..T).map(|i| format!("poke(&window[{i}], w{i});")));
    }

    fn multiply(&mut self) {
        self.lines([
            "/// `acc <- a * b` as columns that are not carried yet, twice as many as".into(),
            "/// there are limbs. Each is at most 2 k 2^52 for k limbs. What `acc` held".into(),
            "/// does not matter.".into(),
            "pub(in crate::engine::ifma) fn multiply(acc: &[Cell<Line>], a: &[Line], b: &[Line]) {"
                .into(),
            "let zero = spread(0);".into(),
            "let k = a.len();".into(),
            "for (i, tile) in b.chunks_exact(TILE).enumerate() {".into(),
            "let first = i == 0;".into(),
            "let window = &acc[i * TILE..][..k + TILE];".into(),
        ]);
        self.lines((0..T).map(|i| format!("let r{i} = load(&tile[{i}]);")));
        self.lines(
            (0..T).map(|i| {
                format!("let mut w{i} = if first {{ zero }} else {{ peek(&window[{i}]) }};")
            }),
        );
        self.line("// The tile before wrote all columns but the last ten.");
        self.band(
            "a",
            "load(x)",
            'r',
            Some("if first { 0 } else { k - TILE }"),
        );
        self.lines(["}".into(), "}".into(), String::new()]);
    }

    fn square(&mut self) {
        self.lines([
            "/// `acc <- a^2`, as `multiply`, with each pair of limbs multiplied once.".into(),
            "pub(in crate::engine::ifma) fn square(acc: &[Cell<Line>], a: &[Line]) {".into(),
            "let zero = spread(0);".into(),
            "let k = a.len();".into(),
            "for i in (0..k).step_by(TILE) {".into(),
            "let (first, last) = (i == 0, i + TILE == k);".into(),
            "let (tile, rest) = a[i..].split_at(TILE);".into(),
            "let window = &acc[2 * i..][..rest.len() + 2 * TILE];".into(),
        ]);
        self.lines((0..T).map(|i| format!("let r{i} = load(&tile[{i}]);")));
        self.lines((0..2 * T).map(|i| {
            let (name, fresh) = if i < T {
                (format!("c{i}"), "first")
            } else {
                (format!("w{}", i - T), "first || last")
            };
            let name = if i == 0 { name } else { format!("mut {name}") };
            format!("let {name} = if {fresh} {{ zero }} else {{ peek(&window[{i}]) }};")
        }));
        let column = |i: usize| {
            if i < T {
                format!("c{i}")
            } else {
                format!("w{}", i - T)
            }
        };
        for sum in 1..2 * T - 2 {
            for r in 0..T {
                if let Some(s) = sum.checked_sub(r).filter(|&s| s > r && s < T) {
                    let (low, high) = (column(sum), column(sum + 1));
                    self.line(&format!("{low} = lo({low}, r{r}, r{s});"));
                    self.line(&format!("{high} = hi({high}, r{r}, r{s});"));
                }
            }
        }
        self.lines((0..T).map(|i| format!("poke(&window[{i}], c{i});")));
        self.line("let window = &window[TILE..];");
        self.line("// The tile before wrote all columns but the last ten.");
        self.band(
            "rest",
            "load(x)",
            'r',
            Some("if first { 0 } else { rest.len().saturating_sub(TILE) }"),
        );
        self.lines([
            "}".into(),
            "// Twice the products of different limbs, and the squares.".into(),
            "for (x, pair) in a.iter().zip(acc.chunks_exact(2)) {".into(),
            "let x = load(x);".into(),
            "let (low, high) = (peek(&pair[0]), peek(&pair[1]));".into(),
            "poke(&pair[0], lo(add(low, low), x, x));".into(),
            "poke(&pair[1], hi(add(high, high), x, x));".into(),
            "}".into(),
            "}".into(),
            String::new(),
        ]);
    }

    fn reduce(&mut self) {
        self.lines([
            "/// `out <- acc / 2^(52 k) mod n`, carried, for `acc` of 2 k columns; `n` has k"
                .into(),
            "/// limbs and `inverse` is -n^-1 mod 2^52. Below 2 n if `acc` is below".into(),
            "/// 2^(52 k) n.".into(),
            "///".into(),
            "/// Columns are signed: m clears the lowest 52 bits of a column c, and what".into(),
            "/// remains of both, (c + lo(m n_0)) / 2^52, is c / 2^52 rounded up.".into(),
            "pub(in crate::engine::ifma) fn reduce(out: &mut [Line], acc: &[Cell<Line>], n: &[u64], inverse: u64) {"
                .into(),
            "let zero = spread(0);".into(),
            "let mask = spread(LIMB_MAX);".into(),
            "let inverse = spread(inverse);".into(),
            "let k = n.len();".into(),
            "let mut carry = zero;".into(),
            "let (low, rest) = n.split_at(TILE);".into(),
            "for i in (0..k).step_by(TILE) {".into(),
            "let window = &acc[i..][..k + TILE];".into(),
        ]);
        self.lines((0..T).map(|i| format!("let mut c{i} = peek(&window[{i}]);")));
        for m in 0..T {
            self.line(&format!("c{m} = add(c{m}, carry);"));
            self.line(&format!("let m{m} = lo(zero, c{m}, inverse);"));
            self.line(&format!("carry = carried(add(c{m}, mask));"));
            for j in 0..T - m {
                let (low, high) = (m + j, m + j + 1);
                if j > 0 {
                    self.line(&format!("c{low} = lo(c{low}, m{m}, spread(low[{j}]));"));
                }
                if high < T {
                    self.line(&format!("c{high} = hi(c{high}, m{m}, spread(low[{j}]));"));
                }
            }
        }
        self.lines((0..T).map(|i| format!("let mut w{i} = peek(&window[{}]);", T + i)));
        for j in 0..T {
            for m in 0..T {
                if let Some(low) = (m + j).checked_sub(T) {
                    self.line(&format!("w{low} = lo(w{low}, m{m}, spread(low[{j}]));"));
                }
                if let Some(high) = (m + j + 1).checked_sub(T) {
                    self.line(&format!("w{high} = hi(w{high}, m{m}, spread(low[{j}]));"));
                }
            }
        }
        self.line("let window = &window[TILE..];");
        self.band("rest", "spread(*x)", 'm', None);
        self.lines([
            "}".into(),
            "for (column, out) in acc[k..].iter().zip(out) {".into(),
            "let sum = add(peek(column), carry);".into(),
            "store(out, and(sum, mask));".into(),
            "carry = carried(sum);".into(),
            "}".into(),
            "}".into(),
        ]);
    }
}

#[test]
fn the_kernels_are_what_the_generator_writes() {
    let mut source = Source {
        text: HEAD.into(),
        depth: 1,
    };
    source.multiply();
    source.square();
    source.reduce();
    source.line("}");
    if env::var_os("ENTENTE_WRITE_KERNELS").is_some() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/engine/ifma/straight.rs");
        fs::write(file, &source.text).unwrap();
        return;
    }
    assert!(
        source.text == include_str!("straight.rs"),
        "straight.rs is out of date"
    );
}

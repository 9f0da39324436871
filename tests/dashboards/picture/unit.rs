//! Numbers with units, near enough to how Grafana writes them.

/// A number of this unit, for a person.
pub(super) fn written(value: f64, unit: &str) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    match unit {
        "percentunit" => format!("{} %", digits(value * 100.0)),
        "s" => duration(value),
        "bytes" => scaled(value, 1024.0, &["B", "KiB", "MiB", "GiB", "TiB"]),
        "Bps" => scaled(value, 1000.0, &["B/s", "kB/s", "MB/s", "GB/s"]),
        "ops" => scaled(value, 1000.0, &["/s", "K/s", "M/s"]),
        "reqps" => scaled(value, 1000.0, &["req/s", "K req/s"]),
        "short" => scaled(value, 1000.0, &["", "K", "M", "G"]),
        "none" => digits(value),
        other => panic!("no way to write {other}"),
    }
}

fn scaled(value: f64, step: f64, units: &[&str]) -> String {
    let (mut value, mut at) = (value, 0);
    while value.abs() >= step && at + 1 < units.len() {
        value /= step;
        at += 1;
    }
    format!("{} {}", digits(value), units[at])
        .trim_end()
        .to_owned()
}

fn duration(seconds: f64) -> String {
    let size = seconds.abs();
    let (divisor, unit) = match size {
        0.0 => (1.0, "s"),
        _ if size < 1e-3 => (1e-6, "µs"),
        _ if size < 1.0 => (1e-3, "ms"),
        _ if size < 120.0 => (1.0, "s"),
        _ if size < 7_200.0 => (60.0, "min"),
        _ if size < 172_800.0 => (3_600.0, "h"),
        _ => (86_400.0, "d"),
    };
    format!("{} {unit}", digits(seconds / divisor))
}

/// Three digits that count, and no zeros behind them.
fn digits(value: f64) -> String {
    let places = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 || size == 0.0 => 2,
        _ => 3,
    };
    let text = format!("{value:.places$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

#[test]
fn numbers_are_short() {
    for (value, unit, text) in [
        (0.4567, "percentunit", "45.7 %"),
        (0.0123, "s", "12.3 ms"),
        (5_400.0, "s", "90 min"),
        (1_536.0, "bytes", "1.5 KiB"),
        (0.0, "short", "0"),
        (12_300.0, "short", "12.3 K"),
        (3.0, "ops", "3 /s"),
        (f64::NAN, "none", "–"),
    ] {
        assert_eq!(written(value, unit), text);
    }
}

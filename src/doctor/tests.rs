//! What is ok, what is a warning, what is a failure.

#![allow(clippy::unwrap_used)]

use std::time::{Duration, SystemTime};

use entente_tls::Identity;
use entente_wire::{Hello, Spoken, WireVersion};

use super::{
    finding::Status::{self, Failure, Ok, Warning},
    machine::{judge_disk, judge_memory, judge_mode, meminfo_bytes},
    own::{judge_expiry, judge_lists},
    peer::judge_versions,
    service::{judge_skew, skew, version},
    speed::judge_tier,
    throughput::{SLOW_BYTES_PER_S, Throughput, bytes_per_s, judge_throughput},
};

const DAY: i64 = 86_400;
const GIB: u64 = 1 << 30;

fn all<T>(judge: impl Fn(T) -> Status, expected: impl IntoIterator<Item = (T, Status)>)
where
    T: Copy + std::fmt::Debug,
{
    for (seen, status) in expected {
        assert_eq!(judge(seen), status, "{seen:?}");
    }
}

#[test]
fn a_certificate_is_replaced_before_it_ends() {
    let of = Identity::party("bank-a".parse().unwrap());
    let now = 1_000 * DAY;
    let judge = |(left, nearly)| judge_expiry(&of, now + left, nearly, now).status();
    let expected = [
        ((30 * DAY, false), Ok),
        ((2 * DAY, false), Ok),
        ((2 * DAY, true), Warning),
        ((0, true), Warning),
        ((-1, true), Failure),
        ((-30 * DAY, true), Failure),
    ];
    all(judge, expected);
    let judge = |left| judge_lists(now + left, now).status();
    all(judge, [(DAY, Ok), (0, Ok), (-1, Failure)]);
}

#[test]
fn clocks_agree_to_some_seconds() {
    let expected = [
        (Some(0.0), Ok),
        (Some(-4.9), Ok),
        (Some(5.1), Warning),
        (Some(-299.0), Warning),
        (Some(301.0), Failure),
        (Some(-1e6), Failure),
        (None, Warning),
    ];
    all(|skew| judge_skew("x", skew).status(), expected);
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
    let date = "Sun, 06 Nov 1994 08:49:37 GMT";
    assert_eq!(skew(date, at), Some(0.5));
    assert_eq!(skew(date, at + Duration::from_secs(60)), Some(-59.5));
    assert_eq!(skew("yesterday", at), None);
}

#[test]
fn there_is_room_for_journals() {
    let expected = [
        (100 * GIB, Ok),
        (GIB, Ok),
        (GIB - 1, Warning),
        (GIB / 16, Warning),
        (GIB / 16 - 1, Failure),
        (0, Failure),
    ];
    all(|free| judge_disk("x", "y", free).status(), expected);
}

#[test]
fn others_do_not_write_into_the_state_directory() {
    let expected = [
        (0o700, Ok),
        (0o755, Ok),
        (0o770, Failure),
        (0o702, Failure),
        (0o777, Failure),
    ];
    all(|mode| judge_mode("x", mode).status(), expected);
}

#[test]
fn jobs_are_promised_no_more_memory_than_there_is() {
    let expected = [
        ((8 * GIB, 4 * GIB, None), Ok),
        ((8 * GIB, 4 * GIB, Some(8 * GIB)), Ok),
        ((8 * GIB, 4 * GIB, Some(8 * GIB + 1)), Failure),
        ((8 * GIB, GIB / 4, None), Warning),
        ((8 * GIB, GIB / 4, Some(GIB)), Warning),
    ];
    let judge = |(total, available, promised)| judge_memory(total, available, promised).status();
    all(judge, expected);
    let text = "MemTotal:       16384 kB\nMemAvailable:    1024 kB\nHugePages_Total:   3\n";
    assert_eq!(meminfo_bytes(text, "MemTotal"), Some(16 << 20));
    assert_eq!(meminfo_bytes(text, "HugePages_Total"), None);
    assert_eq!(meminfo_bytes(text, "SwapTotal"), None);
}

#[test]
fn sides_without_a_version_in_common_are_a_failure() {
    let hello = |versions: Vec<u16>| Hello {
        versions,
        software: "9.9.9".to_owned(),
    };
    let all = Spoken::ALL;
    let judge = |versions| judge_versions("x".to_owned(), all, &hello(versions)).status();
    assert_eq!(judge(all.numbers()), Ok);
    assert_eq!(judge([vec![9999], all.numbers()].concat()), Ok);
    assert_eq!(judge(vec![9999]), Failure);
    for (ours, theirs, taken) in [
        (all, vec![2, 1], "2 is taken"),
        (all, vec![1], "1 is taken"),
        (Spoken::up_to(WireVersion::FIRST), vec![2, 1], "1 is taken"),
    ] {
        let found = judge_versions("x".to_owned(), ours, &hello(theirs));
        let said = format!("{found:?}");
        assert!(said.contains(taken), "{said}");
    }
    assert_eq!(judge(vec![]), Failure);
    let metrics = "# HELP x\nentente_build_info{version=\"0.1.0\"} 1\n";
    assert_eq!(version(metrics).as_deref(), Some("0.1.0"));
    assert_eq!(version("entente_build_info 1"), None);
}

#[test]
fn a_slower_tier_than_need_be_is_a_warning() {
    assert_eq!(judge_tier("adx", "adx", "adx, portable").status(), Ok);
    assert_eq!(
        judge_tier("portable", "adx", "adx, portable").status(),
        Warning
    );
}

#[test]
fn a_line_on_which_rounds_would_wait_is_a_warning() {
    let judge = |(up_bytes_per_s, down_bytes_per_s)| {
        let seen = Throughput {
            round_trip: Duration::from_micros(1500),
            up_bytes_per_s,
            down_bytes_per_s,
        };
        judge_throughput("x".to_owned(), seen)
    };
    // 1 MiB in the 480 ms that a round computes.
    assert_eq!(SLOW_BYTES_PER_S, 2_184_533);
    let (fast, slow) = (SLOW_BYTES_PER_S, SLOW_BYTES_PER_S - 1);
    let expected = [
        ((fast, fast), Ok),
        ((slow, fast), Warning),
        ((fast, slow), Warning),
        ((0, 0), Warning),
    ];
    all(|seen| judge(seen).status(), expected);
    let found = serde_json::to_value(judge((118 << 20, 97 << 20))).unwrap();
    assert_eq!(
        found["seen"],
        "118.0 MiB/s up, 97.0 MiB/s down; 1.50 ms a round trip"
    );
    assert_eq!(found["measured"]["up_bytes_per_s"], 118 << 20);
    assert_eq!(found["measured"]["round_trip_us"], 1500);
    let found = format!("{:?}", judge((1 << 20, 1 << 19)));
    assert!(found.contains("waits 2.0 s for the wire"), "{found}");
}

#[test]
fn waiting_is_not_sending() {
    let ms = Duration::from_millis;
    for (took, waited, expected) in [
        (ms(1000), ms(0), 1000),
        (ms(1000), ms(200), 1250),
        // What was mostly waiting says little: half of it is counted.
        (ms(1000), ms(900), 2000),
        (ms(1000), ms(2000), 2000),
    ] {
        assert_eq!(bytes_per_s(1000, took, waited), expected);
    }
    assert!(bytes_per_s(1, Duration::ZERO, Duration::ZERO) > 0);
}

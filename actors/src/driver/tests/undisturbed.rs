//! Whatever a network does, the transcript is that of an undisturbed run.

#![allow(clippy::unwrap_used, clippy::panic)]

use entente_protocol::{Half, Product};
use entente_wire::{Encode, decode_exactly};
use proptest::prelude::*;

use super::{driver, *};

/// What happens next. `side` is 0 or 1; `pick` chooses among the frames that
/// are on their way to it.
#[derive(Debug, Clone)]
enum Op {
    Deliver { side: usize, pick: usize },
    Duplicate { side: usize, pick: usize },
    Drop { side: usize, pick: usize },
    Compute { side: usize },
    Wait { seconds: u64 },
    Cut { side: usize },
    Link { side: usize },
    Grant { side: usize, more: u64 },
}

fn op() -> impl Strategy<Value = Op> {
    let side = 0_usize..2;
    let picked = || (0_usize..2, any::<usize>());
    prop_oneof![
        6 => picked().prop_map(|(side, pick)| Op::Deliver { side, pick }),
        2 => picked().prop_map(|(side, pick)| Op::Duplicate { side, pick }),
        2 => picked().prop_map(|(side, pick)| Op::Drop { side, pick }),
        6 => side.clone().prop_map(|side| Op::Compute { side }),
        1 => (0_u64..40).prop_map(|seconds| Op::Wait { seconds }),
        1 => side.clone().prop_map(|side| Op::Cut { side }),
        1 => side.clone().prop_map(|side| Op::Link { side }),
        2 => (side, 0_u64..3).prop_map(|(side, more)| Op::Grant { side, more }),
    ]
}

struct Party {
    driver: Driver<Player>,
    journal: MemoryJournal,
    work: Option<Work<Player>>,
    /// Encoded frames on their way here.
    coming: Vec<Vec<u8>>,
    granted: u64,
    half: Option<Half>,
    status: Option<Status>,
}

struct Pair {
    now: Instant,
    parties: [Party; 2],
}

impl Pair {
    fn new(rounds: usize) -> Self {
        let now = Instant::now();
        let party = |serves, seed| Party {
            driver: driver(now, Player::new(serves, rounds, seed)),
            journal: MemoryJournal::new(),
            work: None,
            coming: Vec::new(),
            granted: 0,
            half: None,
            status: None,
        };
        let parties = [party(true, 1), party(false, 2)];
        Self { now, parties }
    }

    fn on(&mut self, side: usize, event: Event<Player>) {
        let party = &mut self.parties[side];
        let effects = party.driver.on(self.now, event);
        let mut outgoing = Vec::new();
        let mut saved = false;
        for command in effects.commit(&mut party.journal).unwrap() {
            match command {
                Command::Compute(work) => assert!(party.work.replace(work).is_none()),
                Command::Send(leaving) => outgoing.push(leaving.packet.frame.to_vec()),
                Command::Answer(frame) => outgoing.push(frame.encoded()),
                Command::Save(product) => {
                    let Product::Half(half) = product else {
                        panic!("{product:?}")
                    };
                    assert!(party.half.replace(half).is_none(), "saved twice");
                    saved = true;
                }
                Command::Tell(status) => party.status = Some(status),
            }
        }
        self.parties[1 - side].coming.extend(outgoing);
        if saved {
            self.on(side, Event::Saved);
        }
    }

    fn deliver(&mut self, side: usize, frame: &[u8]) {
        let event = match decode_exactly::<(), Frame>(&(), frame).unwrap() {
            Frame::Data(envelope) => Event::Arrived(Arc::new(envelope.into())),
            Frame::Ack {
                position, digest, ..
            } => Event::Acknowledged { position, digest },
            Frame::Refused {
                position, reason, ..
            } => Event::Refused { position, reason },
            other => panic!("{other:?}"),
        };
        self.on(side, event);
    }

    fn apply(&mut self, op: &Op) {
        match *op {
            Op::Deliver { side, pick } | Op::Duplicate { side, pick } | Op::Drop { side, pick } => {
                let coming = &mut self.parties[side].coming;
                if coming.is_empty() {
                    return;
                }
                let pick = pick % coming.len();
                match op {
                    Op::Duplicate { .. } => {
                        let frame = coming[pick].clone();
                        self.deliver(side, &frame);
                    }
                    Op::Deliver { .. } => {
                        let frame = coming.remove(pick);
                        self.deliver(side, &frame);
                    }
                    _ => drop(coming.remove(pick)),
                }
            }
            Op::Compute { side } => {
                if let Some(work) = self.parties[side].work.take() {
                    self.on(side, Event::Computed(work.run()));
                }
            }
            Op::Wait { seconds } => {
                self.now += Duration::from_secs(seconds);
                for side in 0..2 {
                    self.on(side, Event::Tick);
                }
            }
            Op::Cut { side } => self.on(side, Event::Unlinked),
            Op::Link { side } => self.on(side, Event::Linked),
            Op::Grant { side, more } => {
                let party = &mut self.parties[side];
                party.granted += more;
                let granted = party.granted;
                self.on(side, Event::Granted(granted));
            }
        }
    }

    /// A network without faults: everything ends.
    fn settle(&mut self) {
        for side in 0..2 {
            self.on(side, Event::Linked);
            self.on(side, Event::Granted(u64::MAX));
        }
        for _ in 0..10_000 {
            for side in 0..2 {
                self.apply(&Op::Compute { side });
                self.apply(&Op::Deliver { side, pick: 0 });
            }
            let quiet = |party: &Party| party.work.is_none() && party.coming.is_empty();
            if self.parties.iter().all(quiet) {
                if self.parties.iter().all(|party| party.half.is_some()) {
                    return;
                }
                // What was refused for now comes back with time.
                self.apply(&Op::Wait { seconds: 2 });
            }
        }
        panic!(
            "does not end: {:?}",
            self.parties.each_ref().map(|p| &p.status)
        );
    }

    fn transcripts(&self) -> [&[u8]; 2] {
        [0, 1].map(|side| {
            let half: &Half = self.parties[side].half.as_ref().unwrap();
            half.expose().as_slice()
        })
    }
}

proptest! {
    #[test]
    fn any_network_leads_to_the_same_transcript(
        rounds in 0_usize..4,
        ops in prop::collection::vec(op(), 0..120),
    ) {
        let mut undisturbed = Pair::new(rounds);
        undisturbed.settle();

        let mut disturbed = Pair::new(rounds);
        for op in &ops {
            disturbed.apply(op);
        }
        disturbed.settle();
        prop_assert_eq!(disturbed.transcripts(), undisturbed.transcripts());
        for party in &disturbed.parties {
            let standing = &party.status.as_ref().unwrap().standing;
            prop_assert_eq!(standing, &Standing::Finished);
            prop_assert_eq!(party.journal.unacknowledged(), []);
        }
    }
}

#[test]
fn each_side_heard_what_the_other_said() {
    let mut pair = Pair::new(2);
    pair.settle();
    let [server, returner] = pair.transcripts();
    assert_eq!(server, returner);
    assert_eq!(server.len(), 3 * 4 * 8, "3 exchanges of 4 numbers");
}

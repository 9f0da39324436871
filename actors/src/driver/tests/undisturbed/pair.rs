//! Two sides, and what is between them.

use entente_protocol::Half;

use super::{
    super::*,
    Moment, Op,
    side::{Came, Heard, Side},
    store::Store,
};

pub(super) struct Pair<S> {
    now: Instant,
    sides: [Side<S>; 2],
}

impl<S: Store> Pair<S> {
    pub(super) fn new(rounds: usize) -> Self {
        let now = Instant::now();
        let sides = [true, false].map(|serves| Side::new(now, serves, rounds));
        Self { now, sides }
    }

    fn hear(&mut self, side: usize, heard: Heard) {
        let came = self.sides[side].hear(self.now, heard);
        self.carry(side, came);
    }

    fn carry(&mut self, side: usize, came: Came) {
        self.sides[1 - side].coming.extend(came.frames);
    }

    fn deliver(&mut self, side: usize, frame: Vec<u8>) {
        if !self.sides[side].is_let_go() {
            return self.hear(side, Heard::Frame(frame));
        }
        // As a party answers for a session that is not open.
        let frame = entente_wire::decode_exactly::<(), Frame>(&(), &frame).unwrap();
        if let Frame::Data(envelope) = frame {
            let refused = Frame::Refused {
                session: envelope.session().id(),
                position: envelope.position(),
                reason: Refusal::UnknownSession,
            };
            let frame = entente_wire::Encode::encoded(&refused);
            self.sides[1 - side].coming.push(frame);
        }
    }

    pub(super) fn apply(&mut self, op: &Op) {
        let now = self.now;
        match *op {
            Op::Deliver { side, pick } | Op::Duplicate { side, pick } | Op::Drop { side, pick } => {
                let coming = &mut self.sides[side].coming;
                if coming.is_empty() {
                    return;
                }
                let pick = pick % coming.len();
                match op {
                    Op::Duplicate { .. } => {
                        let frame = coming[pick].clone();
                        self.deliver(side, frame);
                    }
                    Op::Deliver { .. } => {
                        let frame = coming.remove(pick);
                        self.deliver(side, frame);
                    }
                    _ => drop(coming.remove(pick)),
                }
            }
            Op::Compute { side } => {
                let came = self.sides[side].compute(now);
                self.carry(side, came);
            }
            Op::Wait { seconds } => {
                self.now += Duration::from_secs(seconds);
                for side in 0..2 {
                    self.hear(side, Heard::Tick);
                }
            }
            Op::Cut { side } => self.hear(side, Heard::Unlinked),
            Op::Link { side } => self.hear(side, Heard::Linked),
            Op::Grant { side, more } => {
                self.sides[side].granted += more;
                let granted = self.sides[side].granted;
                self.hear(side, Heard::Granted(granted));
            }
            Op::Hold { side, hold } => {
                self.sides[side].hold = hold;
                if !hold && self.sides[side].is_let_go() {
                    self.die(side, false);
                }
                self.hear(side, Heard::Hold(hold));
            }
            Op::Full { side, full } => {
                self.sides[side].full = full;
                if !full {
                    self.hear(side, Heard::KeptAgain);
                }
            }
            Op::Die { side, moment } => match moment {
                Moment::Now => self.die(side, false),
                moment => self.dies_in(side, 0, moment),
            },
            Op::Damage { side } => self.die(side, true),
        }
    }

    fn die(&mut self, side: usize, damaged: bool) {
        self.sides[side].die(self.now, damaged);
        let (granted, hold) = (self.sides[side].granted, self.sides[side].hold);
        self.hear(side, Heard::Granted(granted));
        self.hear(side, Heard::Hold(hold));
    }

    /// A side dies in an event to come.
    pub(super) fn dies_in(&mut self, side: usize, event: u32, moment: Moment) {
        self.sides[side].doom = Some((event, moment));
    }

    /// A time without faults: everything ends.
    pub(super) fn settle(&mut self) {
        for side in 0..2 {
            self.apply(&Op::Full { side, full: false });
            self.apply(&Op::Hold { side, hold: false });
            self.sides[side].granted = u64::MAX;
            self.up(side);
        }
        for _ in 0..20_000 {
            for side in 0..2 {
                let deaths = self.sides[side].deaths;
                self.apply(&Op::Compute { side });
                self.apply(&Op::Deliver { side, pick: 0 });
                if self.sides[side].deaths > deaths {
                    self.up(side);
                    self.hear(1 - side, Heard::Linked);
                }
            }
            let quiet = |side: &Side<S>| side.work.is_none() && side.coming.is_empty();
            if self.sides.iter().all(quiet) {
                let finished = |side: &Side<S>| {
                    let standing = side.status.as_ref().map(|status| &status.standing);
                    standing == Some(&Standing::Finished)
                };
                if self.sides.iter().all(finished) {
                    return;
                }
                // What was refused for now comes back with time.
                self.apply(&Op::Wait { seconds: 2 });
            }
        }
        panic!(
            "does not end: {:?}",
            self.sides.each_ref().map(|side| &side.status)
        );
    }

    fn up(&mut self, side: usize) {
        let deaths = self.sides[side].deaths;
        self.hear(side, Heard::Linked);
        let granted = self.sides[side].granted;
        self.hear(side, Heard::Granted(granted));
        if self.sides[side].deaths > deaths {
            self.up(side);
            // A new link is one for both.
            self.hear(1 - side, Heard::Linked);
        }
    }

    pub(super) fn ended_well(&self) {
        for side in &self.sides {
            let standing = &side.status.as_ref().unwrap().standing;
            assert_eq!(standing, &Standing::Finished);
            assert_eq!(side.next_resend(), None, "all is acknowledged");
        }
    }

    pub(super) fn deaths(&self) -> u32 {
        self.sides.iter().map(|side| side.deaths).sum()
    }

    pub(super) fn transcripts(&self) -> [Vec<u8>; 2] {
        self.sides.each_ref().map(|side| {
            let half: &Half = side.half.as_ref().unwrap();
            half.expose().clone()
        })
    }
}

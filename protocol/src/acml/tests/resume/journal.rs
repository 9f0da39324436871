//! Two parties with disks, and crashes.
//!
//! ```text
//!   begin, or hear ──▶ compute ──▶ say ──▶ ... ──▶ done ──▶ checkpoint
//!        ▲                ▲         ▲                ▲          ▲
//!      Heard           Computed    Said            Done      Rested     moments of a crash
//! ```
//!
//! On disk are the checkpoints of the last two rests, what was heard since the older
//! one, and all that was ever said, by place. Everything else is gone with a crash,
//! and with a torn one the newer checkpoint too. What is computed again where
//! something was said is dropped.

use entente_wire::Secret;

use crate::{Machine, Next, Outbox, Product, ProtocolError, Report, Rest, Role};

/// When it crashes, in a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// What was heard is on the disk, and nothing computed of it.
    Heard,
    /// What was computed is nowhere.
    Computed,
    /// It is on the disk.
    Said,
    /// The exchange is over, and its checkpoint not written.
    Done,
    /// The checkpoint is written.
    Rested,
    /// What was computed is on the disk, and the newest checkpoint there cannot be
    /// read any more.
    Torn,
}

impl Moment {
    pub(super) const ALL: [Self; 6] = [
        Self::Heard,
        Self::Computed,
        Self::Said,
        Self::Done,
        Self::Rested,
        Self::Torn,
    ];
}

/// Which of the two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
}

/// A crash of a side, in its step of this number (from 0).
#[derive(Debug, Clone, Copy)]
pub(super) struct Crash {
    pub(super) side: Side,
    pub(super) step: usize,
    pub(super) moment: Moment,
}

struct Disk {
    checkpoint: Secret<Vec<u8>>,
    /// Of the rest before.
    older: Option<Secret<Vec<u8>>>,
    /// By exchange.
    heard: Vec<Vec<Vec<u8>>>,
    /// By exchange, by place.
    said: Vec<Vec<(&'static str, Vec<u8>)>>,
    /// Of the exchanges that are over.
    reports: Vec<Report>,
}

impl Disk {
    fn exchange(&self) -> usize {
        self.reports.len()
    }

    /// What was heard in the running exchange.
    fn heard(&mut self) -> &mut Vec<Vec<u8>> {
        let exchange = self.exchange();
        let room = self.heard.len().max(exchange + 1);
        self.heard.resize_with(room, Vec::new);
        &mut self.heard[exchange]
    }

    /// The newest checkpoint cannot be read: the one before it, if there is one,
    /// stands for it.
    fn tear(&mut self) {
        if let Some(older) = self.older.take() {
            self.checkpoint = older;
            self.reports.pop();
        }
    }

    /// Appends what stands at a new place; `said` is how many were said since
    /// the exchange began.
    fn record(&mut self, said: &mut usize, out: &mut Outbox) {
        let exchange = self.exchange();
        self.said
            .resize_with(self.said.len().max(exchange + 1), Vec::new);
        let recorded = &mut self.said[exchange];
        for sent in out.drain() {
            match recorded.get(*said) {
                Some((name, _)) => assert_eq!(*name, sent.name, "another message in its place"),
                None => recorded.push((sent.name, sent.payload)),
            }
            *said += 1;
        }
    }
}

/// What a crash takes.
enum Memory<R: Role> {
    Nothing,
    AtRest(R),
    Between { machine: R::Machine, said: usize },
}

/// Makes a role again: is told how many crashes there were before, and the
/// checkpoint.
pub(super) type Resume<'a, R> = &'a dyn Fn(usize, &Secret<Vec<u8>>) -> Result<R, ProtocolError>;

/// A side.
pub(super) struct Party<'a, R: Role> {
    memory: Memory<R>,
    disk: Disk,
    resume: Resume<'a, R>,
    steps: usize,
    crashes: usize,
}

/// What came of it at one side.
pub(super) struct End {
    pub(super) product: Product,
    pub(super) reports: Vec<Report>,
    /// How often it crashed.
    pub(super) crashes: usize,
}

impl<'a, R: Role> Party<'a, R> {
    pub(super) fn new(role: R, resume: Resume<'a, R>) -> Self {
        let disk = Disk {
            checkpoint: role.checkpoint(),
            older: None,
            heard: Vec::new(),
            said: Vec::new(),
            reports: Vec::new(),
        };
        Self {
            memory: Memory::AtRest(role),
            disk,
            resume,
            steps: 0,
            crashes: 0,
        }
    }

    /// From the checkpoint, through what was heard.
    fn restart(&mut self) -> Result<(), ProtocolError> {
        let role = (self.resume)(self.crashes, &self.disk.checkpoint)?;
        self.memory = Memory::AtRest(role);
        // Exchanges that had begun, which may be two after a torn checkpoint.
        while self.disk.said.len() > self.disk.exchange() {
            let role = match std::mem::replace(&mut self.memory, Memory::Nothing) {
                Memory::AtRest(role) => role,
                // In the midst of the last of them.
                memory => {
                    self.memory = memory;
                    break;
                }
            };
            let (mut said, mut out) = (0, Outbox::new());
            let mut next = role.begin(self.disk.exchange() as u64, &mut out)?;
            self.disk.record(&mut said, &mut out);
            for payload in self.disk.heard().clone() {
                next = match next {
                    Next::Continue(machine) => machine.handle(&payload, &mut out)?,
                    Next::Done(_) => panic!("a message after the end"),
                };
                self.disk.record(&mut said, &mut out);
            }
            self.settle(next, said);
        }
        Ok(())
    }

    /// Keeps what a step led to.
    fn settle(&mut self, next: Next<R::Machine>, said: usize) {
        self.memory = match next {
            Next::Continue(machine) => Memory::Between { machine, said },
            Next::Done(Rest { role, report }) => {
                let newest = role.checkpoint();
                let before = std::mem::replace(&mut self.disk.checkpoint, newest);
                self.disk.older = Some(before);
                self.disk.reports.push(report);
                Memory::AtRest(role)
            }
        };
    }

    /// One step, if there is one to do. A moment that the step does not come to
    /// is after it.
    fn advance(&mut self, peer: &Disk, crash: Option<Moment>) -> Result<bool, ProtocolError> {
        let mut out = Outbox::new();
        let (next, mut said) = match std::mem::replace(&mut self.memory, Memory::Nothing) {
            Memory::Nothing => {
                self.restart()?;
                if crash.is_some() {
                    self.memory = Memory::Nothing;
                }
                return Ok(true);
            }
            Memory::AtRest(role) => {
                let exchange = self.disk.exchange() as u64;
                if exchange == role.schedule().exchanges() {
                    self.memory = Memory::AtRest(role);
                    return Ok(false);
                }
                // From here on the disk says that the exchange has begun.
                self.disk.record(&mut 0, &mut Outbox::new());
                (role.begin(exchange, &mut out)?, 0)
            }
            Memory::Between { machine, said } => {
                let there = peer.said.get(self.disk.exchange());
                let Some((_, payload)) = there.and_then(|there| there.get(self.disk.heard().len()))
                else {
                    self.memory = Memory::Between { machine, said };
                    return Ok(false);
                };
                self.disk.heard().push(payload.clone());
                if crash == Some(Moment::Heard) {
                    return Ok(true);
                }
                (machine.handle(payload, &mut out)?, said)
            }
        };
        if crash == Some(Moment::Computed) {
            return Ok(true);
        }
        self.disk.record(&mut said, &mut out);
        let done = matches!(next, Next::Done(_));
        if crash == Some(Moment::Torn) {
            self.disk.tear();
            return Ok(true);
        }
        if crash == Some(Moment::Said) || (done && crash == Some(Moment::Done)) {
            return Ok(true);
        }
        self.settle(next, said);
        if crash.is_some() {
            self.memory = Memory::Nothing;
        }
        Ok(true)
    }

    fn end(self) -> End {
        let Memory::AtRest(role) = self.memory else {
            panic!("the job stopped half way")
        };
        End {
            product: role.product(),
            reports: self.disk.reports,
            crashes: self.crashes,
        }
    }
}

/// Runs a job to its end through these crashes.
pub(super) fn run<L: Role, R: Role>(
    mut left: Party<'_, L>,
    mut right: Party<'_, R>,
    crashes: &[Crash],
) -> Result<[End; 2], ProtocolError> {
    let due = |side: Side, step: usize| {
        let mut crashes = crashes.iter();
        let crash = crashes.find(|crash| crash.side == side && crash.step == step);
        crash.map(|crash| crash.moment)
    };
    loop {
        let crash = due(Side::Left, left.steps);
        let moved = left.advance(&right.disk, crash)?;
        left.steps += usize::from(moved);
        left.crashes += usize::from(moved && crash.is_some());
        let crash = due(Side::Right, right.steps);
        let also = right.advance(&left.disk, crash)?;
        right.steps += usize::from(also);
        right.crashes += usize::from(also && crash.is_some());
        if !moved && !also {
            return Ok([left.end(), right.end()]);
        }
    }
}

//! One side: whatever runs at the moment, its journal, and its disk.

use std::mem;

use entente_protocol::{Half, Product};
use entente_wire::Encode;

use super::{
    super::{pingpong::Player, *},
    Moment,
    store::Store,
};
use crate::delivery::{Kept, Left};

pub(super) struct Side<S> {
    serves: bool,
    rounds: usize,
    runs: Runs,
    journal: Option<S>,
    pub(super) work: Option<Work<Player>>,
    /// Encoded frames on their way here.
    pub(super) coming: Vec<Vec<u8>>,
    pub(super) granted: u64,
    pub(super) hold: bool,
    pub(super) full: bool,
    /// After how many events it dies in the one after them.
    pub(super) doom: Option<(u32, Moment)>,
    pub(super) deaths: u32,
    pub(super) half: Option<Half>,
    pub(super) status: Option<Status>,
}

/// What runs at a side.
enum Runs {
    Playing(Box<Running<Player>>),
    /// It had ended when its process died.
    Over(Box<Running<Over>>),
    /// It is paused, and was let go.
    Nothing,
}

struct Running<R: Role> {
    driver: Driver<R>,
    pending: Effects<R>,
}

/// What a side hears that any driver understands.
#[derive(Clone)]
pub(super) enum Heard {
    Granted(u64),
    Hold(bool),
    Linked,
    Unlinked,
    Tick,
    Frame(Vec<u8>),
    KeptAgain,
    Saved,
}

impl Heard {
    fn event<R: Role>(self) -> Event<R> {
        match self {
            Self::Granted(granted) => Event::Granted(granted),
            Self::Hold(hold) => Event::Hold(hold),
            Self::Linked => Event::Linked,
            Self::Unlinked => Event::Unlinked,
            Self::Tick => Event::Tick,
            Self::KeptAgain => Event::KeptAgain,
            Self::Saved => Event::Saved,
            Self::Frame(frame) => {
                match entente_wire::decode_exactly::<(), Frame>(&(), &frame).unwrap() {
                    Frame::Data(envelope) => Event::Arrived(Arc::new(envelope.into())),
                    Frame::Ack {
                        position, digest, ..
                    } => Event::Acknowledged { position, digest },
                    Frame::Refused {
                        position, reason, ..
                    } => Event::Refused { position, reason },
                    other => panic!("{other:?}"),
                }
            }
        }
    }
}

/// What came of an event beside a change of the side.
#[derive(Default)]
pub(super) struct Came {
    pub(super) frames: Vec<Vec<u8>>,
    saved: bool,
    held: bool,
    died: bool,
}

impl<S: Store> Side<S> {
    pub(super) fn new(now: Instant, serves: bool, rounds: usize) -> Self {
        let mut side = Self {
            serves,
            rounds,
            runs: Runs::Nothing,
            journal: Some(S::empty()),
            work: None,
            coming: Vec::new(),
            granted: 0,
            hold: false,
            full: false,
            doom: None,
            deaths: 0,
            half: None,
            status: None,
        };
        side.start(now, Kept::default());
        side
    }

    /// When a message leaves again that is not acknowledged.
    pub(super) fn next_resend(&self) -> Option<Instant> {
        match &self.runs {
            Runs::Playing(running) => running.driver.outbound.next_due(),
            Runs::Over(running) => running.driver.outbound.next_due(),
            Runs::Nothing => None,
        }
    }

    /// The process dies, and another one goes on.
    pub(super) fn die(&mut self, now: Instant, damaged: bool) {
        self.doom = None;
        self.deaths += 1;
        let (journal, mut kept) = self.journal.take().unwrap().reborn();
        self.journal = Some(journal);
        if damaged && kept.checkpoints.len() > 1 {
            kept.checkpoints.pop_last();
        }
        self.start(now, kept);
    }

    fn start(&mut self, now: Instant, kept: Kept) {
        self.work = None;
        self.status = None;
        let setting = setting();
        let seed = if self.serves { 1 } else { 2 };
        self.runs = match kept.left() {
            Left::Nothing => {
                let player = Player::new(self.serves, self.rounds, seed);
                Runs::playing(Driver::new(now, player, setting))
            }
            Left::AtRest(_) if self.hold => Runs::Nothing,
            Left::AtRest(restored) => {
                let role = &restored.checkpoint.role;
                let player = Player::new(self.serves, self.rounds, seed).resume(role);
                Runs::playing(Driver::restore(now, player, setting, restored))
            }
            Left::Ended(ended, messages) => Runs::Over(Box::new(Running {
                driver: Driver::ended(now, setting, *ended, messages),
                pending: Effects::new(),
            })),
        };
    }

    pub(super) fn is_let_go(&self) -> bool {
        matches!(self.runs, Runs::Nothing)
    }

    pub(super) fn hear(&mut self, now: Instant, heard: Heard) -> Came {
        match &mut self.runs {
            Runs::Nothing => Came::default(),
            Runs::Playing(_) => self.play(now, heard.event()),
            Runs::Over(_) => self.answer(now, heard.event()),
        }
    }

    /// Computes what there is to compute.
    pub(super) fn compute(&mut self, now: Instant) -> Came {
        match self.work.take() {
            Some(work) => self.play(now, Event::Computed(work.run())),
            None => Came::default(),
        }
    }

    fn play(&mut self, now: Instant, event: Event<Player>) -> Came {
        let Runs::Playing(running) = &mut self.runs else {
            return Came::default();
        };
        let (doom, full) = (next(&mut self.doom), self.full);
        let journal = self.journal.as_mut().unwrap();
        let mut came = Came::default();
        let (commands, work) = running.on(now, event, journal, full, doom, &mut came);
        if let Some(work) = work {
            assert!(self.work.replace(work).is_none());
        }
        for command in commands {
            match command {
                Command::Compute(work) => assert!(self.work.replace(work).is_none()),
                Command::Save(product) => {
                    let Product::Half(half) = product else {
                        panic!("{product:?}")
                    };
                    if let Some(last) = self.half.replace(half) {
                        assert_eq!(Some(last.expose()), self.half.as_ref().map(Half::expose));
                    }
                    came.saved = true;
                }
                Command::Tell(status) => {
                    came.held = status.standing == Standing::Held;
                    self.status = Some(*status);
                }
                other => came.frames.extend(frame(other)),
            }
        }
        if came.died {
            self.die(now, false);
        } else if came.held && running_is_held(&self.runs) {
            self.runs = Runs::Nothing;
            self.work = None;
        } else if came.saved {
            came.frames.extend(self.hear(now, Heard::Saved).frames);
        }
        came
    }

    fn answer(&mut self, now: Instant, event: Event<Over>) -> Came {
        let Runs::Over(running) = &mut self.runs else {
            return Came::default();
        };
        let (doom, full) = (next(&mut self.doom), self.full);
        let journal = self.journal.as_mut().unwrap();
        let mut came = Came::default();
        let (commands, _) = running.on(now, event, journal, full, doom, &mut came);
        for command in commands {
            match command {
                Command::Tell(status) => self.status = Some(*status),
                Command::Compute(_) | Command::Save(_) => panic!("it is over"),
                other => came.frames.extend(frame(other)),
            }
        }
        if came.died {
            self.die(now, false);
        }
        came
    }
}

impl Runs {
    fn playing(driver: Driver<Player>) -> Self {
        let pending = Effects::new();
        Self::Playing(Box::new(Running { driver, pending }))
    }
}

/// Whether, and when in it, this event is the last.
fn next(doom: &mut Option<(u32, Moment)>) -> Option<Moment> {
    match doom {
        Some((0, moment)) => Some(*moment),
        Some((events, _)) => {
            *events -= 1;
            None
        }
        None => None,
    }
}

fn running_is_held(runs: &Runs) -> bool {
    matches!(runs, Runs::Playing(running) if running.driver.is_held())
}

impl<R: Role> Running<R> {
    /// As the actor does it, with a journal that answers at once.
    fn on(
        &mut self,
        now: Instant,
        event: Event<R>,
        journal: &mut impl Journal,
        full: bool,
        doom: Option<Moment>,
        came: &mut Came,
    ) -> (Vec<Command<R>>, Option<Work<R>>) {
        let effects = self.driver.on(now, event);
        let mut commands = self.pending.append(effects);
        let work = self.pending.take_work();
        if let Some(Moment::BeforeItIsKept) = doom {
            came.died = true;
            return (Vec::new(), None);
        }
        let pending = mem::replace(&mut self.pending, Effects::new());
        let outcome = if full {
            pending.commit(&mut Full)
        } else {
            pending.commit(journal)
        };
        if let Some(Moment::OnceItIsKept) = doom {
            came.died = true;
            return (Vec::new(), None);
        }
        match outcome {
            Ok(more) => commands.extend(more),
            Err(Unkept { effects, error }) => {
                self.pending = effects;
                let effects = self.driver.on(now, Event::CannotKeep(error));
                commands.extend(self.pending.append(effects));
            }
        }
        (commands, work)
    }
}

fn frame<R: Role>(command: Command<R>) -> Option<Vec<u8>> {
    match command {
        Command::Send(leaving) => Some(leaving.packet.frame.to_vec()),
        Command::Answer(frame) => Some(frame.encoded()),
        _ => None,
    }
}

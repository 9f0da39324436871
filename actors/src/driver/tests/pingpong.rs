//! A protocol for tests that has nothing to do with learning: in every
//! exchange the server says two random numbers, the returner one, the server
//! one more. Each keeps all that it said and heard; drawing a number twice for
//! one message would show.

use std::sync::atomic::{AtomicU64, Ordering};

use entente_protocol::{
    Machine, Next, Outbox, Product, ProtocolError, Report, Rest, Role, rows::RowsDiffer,
    schedule::Schedule, split::Split,
};
use entente_wire::{Body, Decode, DecodeError, Kind, Message, Public, Reader, Secret};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;

/// A number on its way, and noise.
struct Ball(Public<u64>, Public<u64>);

/// Never the same again.
fn noise() -> u64 {
    static DRAWN: AtomicU64 = AtomicU64::new(0);
    DRAWN.fetch_add(1, Ordering::Relaxed)
}

impl Message for Ball {
    const KIND: Kind = Kind(900);
    const NAME: &'static str = "ball";
    fn write(&self, body: &mut Body) {
        body.field(&self.0);
        body.field(&self.1);
    }
}

impl Decode for Ball {
    fn decode((): &(), input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self(
            Public::decode(&(), input)?,
            Public::decode(&(), input)?,
        ))
    }
}

/// One side at rest.
#[derive(Debug)]
pub(crate) struct Player {
    serves: bool,
    schedule: Schedule,
    rng: ChaCha20Rng,
    transcript: Vec<u64>,
    /// Knows while it waits that the job will end.
    pub(crate) certain: Option<RowsDiffer>,
    /// Panics when it is to begin this exchange.
    pub(crate) panics_at: Option<u64>,
}

impl Player {
    /// With `rounds` mini-batches and no test rows.
    pub(crate) fn new(serves: bool, rounds: usize, seed: u64) -> Self {
        Self {
            serves,
            schedule: Schedule::new(0, Split::all(rounds), 1, 1),
            rng: ChaCha20Rng::seed_from_u64(seed),
            transcript: Vec::new(),
            certain: None,
            panics_at: None,
        }
    }

    /// As a player of the same job was when it gave `checkpoint`: it draws on
    /// from there, so an exchange that is gone through again says the same.
    pub(crate) fn resume(self, checkpoint: &Secret<Vec<u8>>) -> Self {
        let mut state = Reader::new(checkpoint.expose());
        let mut rng = ChaCha20Rng::from_seed(state.array("seed").unwrap_or_default());
        rng.set_word_pos(u128::from_be_bytes(
            state.array("position").unwrap_or_default(),
        ));
        let words = state.rest().chunks_exact(8);
        let transcript = words.map(|word| word.try_into().map_or(0, u64::from_be_bytes));
        Self {
            rng,
            transcript: transcript.collect(),
            ..self
        }
    }

    fn say(&mut self, out: &mut Outbox) {
        let number = self.rng.next_u64();
        self.transcript.push(number);
        out.send(&Ball(
            Public::declassify(number, "a number of a test"),
            Public::declassify(noise(), "noise of a test"),
        ));
    }
}

impl Role for Player {
    type Machine = Game;
    const PROTOCOL: &'static str = "pingpong";
    const ROLE: &'static str = "player";

    fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    #[allow(clippy::panic)]
    fn begin(mut self, index: u64, out: &mut Outbox) -> Result<Next<Game>, ProtocolError> {
        if self.panics_at == Some(index) {
            panic!("as asked for, with private data");
        }
        if self.serves {
            self.say(out);
            self.say(out);
            Ok(Next::Continue(Game::ExpectReturn(self)))
        } else {
            Ok(Next::Continue(Game::ExpectFirst(self)))
        }
    }

    fn message_name(kind: Kind) -> Option<&'static str> {
        (kind == Ball::KIND).then_some(Ball::NAME)
    }

    fn checkpoint(&self) -> Secret<Vec<u8>> {
        let mut state = self.rng.get_seed().to_vec();
        state.extend(self.rng.get_word_pos().to_be_bytes());
        state.extend(self.transcript.iter().flat_map(|n| n.to_be_bytes()));
        Secret::new(state)
    }

    fn product(self) -> Product {
        let numbers = self.transcript.iter();
        Product::Half(Secret::new(numbers.flat_map(|n| n.to_be_bytes()).collect()))
    }
}

/// One side in an exchange; states are named for what they wait for.
#[derive(Debug)]
#[allow(clippy::enum_variant_names)]
pub(crate) enum Game {
    ExpectFirst(Player),
    ExpectSecond(Player),
    ExpectReturn(Player),
    ExpectLast(Player),
}

impl Machine for Game {
    type Output = Rest<Player>;

    fn state(&self) -> &'static str {
        match self {
            Self::ExpectFirst(_) => "expect_first",
            Self::ExpectSecond(_) => "expect_second",
            Self::ExpectReturn(_) => "expect_return",
            Self::ExpectLast(_) => "expect_last",
        }
    }

    fn certain_end(&self) -> Option<ProtocolError> {
        let (Self::ExpectFirst(player)
        | Self::ExpectSecond(player)
        | Self::ExpectReturn(player)
        | Self::ExpectLast(player)) = self;
        player.certain.map(ProtocolError::from)
    }

    fn handle(self, input: &[u8], out: &mut Outbox) -> Result<Next<Self>, ProtocolError> {
        let state = self.state();
        let unreadable = |source| ProtocolError::PeerMessage { state, source };
        let ball = Ball::read(&(), input).map_err(unreadable)?;
        let heard = *ball.0.get();
        let done = |role| {
            let report = Report {
                samples: 1,
                ..Report::default()
            };
            Next::Done(Rest { role, report })
        };
        let (Self::ExpectFirst(mut player)
        | Self::ExpectSecond(mut player)
        | Self::ExpectReturn(mut player)
        | Self::ExpectLast(mut player)) = self;
        player.transcript.push(heard);
        Ok(match state {
            "expect_first" => Next::Continue(Self::ExpectSecond(player)),
            "expect_second" => {
                player.say(out);
                Next::Continue(Self::ExpectLast(player))
            }
            "expect_return" => {
                player.say(out);
                done(player)
            }
            _ => done(player),
        })
    }
}

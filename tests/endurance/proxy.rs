//! A bad wire: a relay that can be told to lose, hold back, cut, double and
//! reset what passes.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU16, Ordering},
    },
    thread,
    time::Duration,
};

use socket2::SockRef;

/// Something that happens on the way, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mishap {
    /// All connections are reset, and until [`Proxy::mend`] none is taken.
    Cut,
    /// All connections are reset.
    Reset,
    /// All connections stay open, and nothing passes on them any more.
    HalfOpen,
    /// What comes next is held back for so long.
    Delay(Duration),
    /// What comes next is lost, and what follows it is not.
    Drop,
    /// Of what comes next a part passes, and the connection ends.
    Truncate,
    /// What comes next passes twice.
    Duplicate,
}

/// A relay. It listens as long as the test runs; its target may change.
#[derive(Clone)]
pub(crate) struct Proxy {
    port: u16,
    wire: Arc<Wire>,
}

struct Wire {
    target: AtomicU16,
    cut: AtomicBool,
    /// What befalls the next bytes, whichever way they go.
    next: Mutex<Option<Mishap>>,
    connections: Mutex<Vec<Connection>>,
}

struct Connection {
    ends: [TcpStream; 2],
    deaf: Arc<AtomicBool>,
}

impl Connection {
    /// Without a farewell: what is on its way is lost.
    fn reset(&self) {
        for end in &self.ends {
            let _ = SockRef::from(end).set_linger(Some(Duration::ZERO));
            let _ = end.shutdown(Shutdown::Both);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Proxy {
    /// Listens on a free port; leads nowhere yet.
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let wire = Arc::new(Wire {
            target: AtomicU16::new(0),
            cut: AtomicBool::new(false),
            next: Mutex::new(None),
            connections: Mutex::new(Vec::new()),
        });
        let shared = wire.clone();
        thread::spawn(move || {
            for caller in listener.incoming().flatten() {
                shared.take(caller);
            }
        });
        Self { port, wire }
    }

    /// Where to dial it.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Leads to `target` from now on. What was connected before stays.
    pub(crate) fn aim(&self, target: u16) {
        self.wire.target.store(target, Ordering::SeqCst);
    }

    /// Lets something happen.
    pub(crate) fn suffer(&self, mishap: Mishap) {
        match mishap {
            Mishap::Cut => {
                self.wire.cut.store(true, Ordering::SeqCst);
                self.wire.reset();
            }
            Mishap::Reset => self.wire.reset(),
            Mishap::HalfOpen => {
                for connection in lock(&self.wire.connections).iter() {
                    connection.deaf.store(true, Ordering::SeqCst);
                }
            }
            next => *lock(&self.wire.next) = Some(next),
        }
    }

    /// Takes connections again, and forgets a mishap that has met nothing.
    pub(crate) fn mend(&self) {
        self.wire.cut.store(false, Ordering::SeqCst);
        *lock(&self.wire.next) = None;
    }
}

impl Wire {
    fn take(self: &Arc<Self>, caller: TcpStream) {
        let target = self.target.load(Ordering::SeqCst);
        let called = match target {
            0 => return,
            _ if self.cut.load(Ordering::SeqCst) => return,
            port => TcpStream::connect(("127.0.0.1", port)),
        };
        // Nobody there: the caller finds its connection closed.
        let Ok(called) = called else { return };
        let (Ok(caller_too), Ok(called_too)) = (caller.try_clone(), called.try_clone()) else {
            return;
        };
        let (Ok(a), Ok(b)) = (caller.try_clone(), called.try_clone()) else {
            return;
        };
        let deaf = Arc::new(AtomicBool::new(false));
        let mut connections = lock(&self.connections);
        connections.push(Connection {
            ends: [caller_too, called_too],
            deaf: deaf.clone(),
        });
        drop(connections);
        for (from, to) in [(caller, called), (b, a)] {
            let (wire, deaf) = (self.clone(), deaf.clone());
            thread::spawn(move || wire.relay(from, to, &deaf));
        }
    }

    fn reset(&self) {
        for connection in lock(&self.connections).drain(..) {
            connection.reset();
        }
    }

    /// Carries one direction of a connection, until either end has had enough.
    fn relay(&self, mut from: TcpStream, mut to: TcpStream, deaf: &AtomicBool) {
        let mut buffer = [0; 16 << 10];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            if deaf.load(Ordering::SeqCst) {
                continue;
            }
            let bytes = &buffer[..count];
            let next = lock(&self.next).take();
            let passed = match next {
                None => to.write_all(bytes),
                Some(Mishap::Delay(time)) => {
                    thread::sleep(time);
                    to.write_all(bytes)
                }
                Some(Mishap::Duplicate) => to.write_all(bytes).and_then(|()| to.write_all(bytes)),
                Some(Mishap::Truncate) => {
                    let _ = to.write_all(&bytes[..count / 2]);
                    break;
                }
                Some(_) => Ok(()),
            };
            if passed.is_err() {
                break;
            }
        }
        // A wire that has gone deaf does not carry the end either.
        if !deaf.load(Ordering::SeqCst) {
            let _ = from.shutdown(Shutdown::Both);
            let _ = to.shutdown(Shutdown::Both);
        }
    }
}

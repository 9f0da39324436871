#![allow(clippy::unwrap_used, clippy::panic)]

use std::{
    sync::{
        atomic::AtomicUsize,
        mpsc::{self, Receiver, Sender},
    },
    time::{Duration, Instant},
};

use super::*;

/// Long enough for a busy machine; never waited out when things go well.
const PATIENCE: Duration = Duration::from_secs(60);

/// An end that asks before each piece of work, and is done when it is full.
struct Slow {
    full_at: usize,
    made: AtomicUsize,
    begins: Sender<i32>,
    may_end: Mutex<Receiver<()>>,
}

/// The test's side of it.
struct Watch {
    begun: Receiver<i32>,
    let_end: Sender<()>,
}

impl Slow {
    fn new(full_at: usize) -> (Arc<Self>, Watch) {
        let (begins, begun) = mpsc::channel();
        let (let_end, may_end) = mpsc::channel();
        let end = Self {
            full_at,
            made: AtomicUsize::new(0),
            begins,
            may_end: Mutex::new(may_end),
        };
        (Arc::new(end), Watch { begun, let_end })
    }
}

impl Ahead for Slow {
    fn advance(&self, _: &mut Rng) -> bool {
        if self.depth() == self.full_at {
            return false;
        }
        // A test that is over listens no more.
        let _ = self.begins.send(niceness());
        let _ = self.may_end.lock().unwrap().recv_timeout(PATIENCE);
        self.made.fetch_add(1, Ordering::SeqCst);
        true
    }

    fn depth(&self) -> usize {
        self.made.load(Ordering::SeqCst)
    }

    fn capacity(&self) -> usize {
        self.full_at
    }
}

/// Of this thread.
fn niceness() -> i32 {
    #[cfg(target_os = "linux")]
    return rustix::process::getpriority_process(None).unwrap();
    #[cfg(not(target_os = "linux"))]
    19
}

fn weak(end: &Arc<Slow>) -> Weak<dyn Ahead> {
    let end: Weak<Slow> = Arc::downgrade(end);
    end
}

impl Watch {
    /// A piece begins, on a thread that yields to everyone, and ends.
    fn piece(&self) {
        assert_eq!(self.begun.recv_timeout(PATIENCE), Ok(19));
        self.let_end.send(()).unwrap();
    }
}

fn eventually(what: &str, is: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is() {
        assert!(Instant::now() < deadline, "{what}: not within {PATIENCE:?}");
        std::thread::yield_now();
    }
}

/// A task of the compute pool that is done when it is told.
struct Task(Sender<()>);

impl Task {
    fn begin(pool: &ComputePool) -> Self {
        let (end, ended) = mpsc::channel();
        pool.compute(move || ended.recv_timeout(PATIENCE), |_| ());
        Self(end)
    }

    fn end(self) {
        self.0.send(()).unwrap();
    }
}

#[test]
fn every_end_is_filled_while_nothing_is_computed_and_again_after_each_task() {
    let pool = ComputePool::new(2).unwrap();
    let background = Background::start(&pool).unwrap();
    let (first, of_first) = Slow::new(2);
    background.serve(weak(&first));
    of_first.piece();
    let (second, of_second) = Slow::new(3);
    background.serve(weak(&second));
    of_first.piece();
    for _ in 0..3 {
        of_second.piece();
    }
    eventually("both are full", || {
        (first.depth(), second.depth()) == (2, 3)
    });

    // A step uses some up.
    let task = Task::begin(&pool);
    first.made.store(1, Ordering::SeqCst);
    task.end();
    of_first.piece();
    eventually("it is full again", || first.depth() == 2);
}

#[test]
fn no_piece_is_begun_while_anything_is_asked_of_the_pool() {
    let pool = ComputePool::new(1).unwrap();
    let background = Background::start(&pool).unwrap();
    let (end, watch) = Slow::new(100);
    background.serve(weak(&end));
    assert_eq!(watch.begun.recv_timeout(PATIENCE), Ok(19));
    // In the middle of a piece there is something to compute: two tasks, of
    // which one waits for the other.
    let tasks = [Task::begin(&pool), Task::begin(&pool)];
    watch.let_end.send(()).unwrap();
    eventually("the piece is done", || end.depth() == 1);
    let [one, other] = tasks;
    one.end();
    // Whoever would go on would have had the time of a task to do it in.
    let (tell, told) = mpsc::channel();
    pool.compute(|| (), move |_| tell.send(()).unwrap());
    assert!(watch.begun.try_recv().is_err(), "begun beside a task");
    other.end();
    told.recv_timeout(PATIENCE).unwrap();
    watch.piece();
}

#[test]
fn an_end_that_nobody_else_has_is_gone() {
    let pool = ComputePool::new(1).unwrap();
    let background = Background::start(&pool).unwrap();
    let (end, watch) = Slow::new(usize::MAX);
    background.serve(weak(&end));
    assert_eq!(watch.begun.recv_timeout(PATIENCE), Ok(19));
    let gone = weak(&end);
    drop(end);
    // With the piece that it was at it goes.
    watch.let_end.send(()).unwrap();
    eventually("it is gone", || gone.strong_count() == 0);
    // And the next one is served as if it had not been there.
    let (next, watch) = Slow::new(1);
    background.serve(weak(&next));
    watch.piece();
    eventually("the list is cleared", || background.desk.ends().len() == 1);
}

#[test]
fn it_ends_when_it_is_dropped() {
    let pool = ComputePool::new(1).unwrap();
    let background = Background::start(&pool).unwrap();
    let (end, watch) = Slow::new(usize::MAX);
    background.serve(weak(&end));
    watch.piece();
    let desk = Arc::downgrade(&background.desk);
    drop(background);
    // The piece that it may be at.
    let _ = watch.let_end.send(());
    eventually("its thread is gone", || desk.strong_count() == 0);
}

#[test]
fn a_panic_ends_the_work_ahead_and_nothing_else() {
    struct Broken;
    impl Ahead for Broken {
        fn advance(&self, _: &mut Rng) -> bool {
            panic!("as asked for")
        }
        fn depth(&self) -> usize {
            0
        }
        fn capacity(&self) -> usize {
            0
        }
    }
    let pool = ComputePool::new(1).unwrap();
    let background = Background::start(&pool).unwrap();
    let broken: Arc<dyn Ahead> = Arc::new(Broken);
    let desk = Arc::downgrade(&background.desk);
    background.serve(Arc::downgrade(&broken));
    eventually("its thread has left", || desk.strong_count() == 1);
    let (tell, told) = mpsc::channel();
    pool.compute(|| 6 * 7, move |result| tell.send(result).unwrap());
    assert_eq!(told.recv_timeout(PATIENCE).unwrap(), Ok(42));
}

//! Echoes beside links.

use tokio::io::duplex;

use super::{
    super::echo::{self, Cut, MAX_BYTES, PROTOCOL, Run},
    *,
};

const SOME: Run = Run {
    up_bytes: 50_000,
    down_bytes: 70_000,
};

/// Whoever calls bank-b for an echo.
async fn wanting(consortium: &Consortium, name: &str, to: &Party) -> TlsStream<TcpStream> {
    call_for(&[PROTOCOL], consortium, name, to).await.unwrap()
}

async fn announce(stream: &mut (impl tokio::io::AsyncWrite + Unpin), run: Run) {
    stream.write_all(&run.announced()).await.unwrap();
    stream.flush().await.unwrap();
}

/// A whole run; how many bytes came.
async fn run(stream: &mut TlsStream<TcpStream>, run: Run) -> usize {
    announce(stream, run).await;
    // Nobody may be there to take them.
    let _ = stream.write_all(&vec![7; run.up_bytes as usize]).await;
    let _ = stream.flush().await;
    let mut came = Vec::new();
    let mut rest = stream.take(u64::from(run.down_bytes));
    let _ = soon("an echo", rest.read_to_end(&mut came)).await;
    assert!(came.iter().all(|byte| *byte == 0));
    came.len()
}

#[tokio::test]
async fn a_link_stands_beside_an_echo() {
    let consortium = Consortium::new();
    let mut bank_b = listening(&consortium, Heartbeat::default()).await;
    // A link offers no protocol: of this release, and of those before.
    let mut line = call(&consortium, "bank-a", &bank_b).await;
    assert_eq!(line.get_ref().1.alpn_protocol(), None);
    greet(&mut line).await;
    let link = bank_b.opened().await;

    let mut echo = wanting(&consortium, "bank-a", &bank_b).await;
    assert_eq!(echo.get_ref().1.alpn_protocol(), Some(PROTOCOL));
    for _ in 0..3 {
        assert_eq!(run(&mut echo, SOME).await, 70_000);
    }
    drop(echo);
    assert!(bank_b.events.try_recv().is_err(), "no link came or went");
    assert!(link.send(Arc::new(Frame::Pong(1).encoded())));
    let mut newer = call(&consortium, "bank-a", &bank_b).await;
    greet(&mut newer).await;
    let next = bank_b.opened().await;
    assert_eq!(next.number(), link.number() + 1, "an echo has no number");
}

#[tokio::test]
async fn a_stranger_gets_no_echo() {
    let consortium = Consortium::new();
    let bank_b = listening(&consortium, Heartbeat::default()).await;
    let mut stranger = wanting(&consortium, "bank-z", &bank_b).await;
    assert_eq!(run(&mut stranger, SOME).await, 0);
    // Who speaks something else gets no handshake.
    assert!(
        call_for(&[b"h2"], &consortium, "bank-a", &bank_b)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_peer_has_one_echo_at_a_time() {
    let consortium = Consortium::new();
    let bank_b = listening(&consortium, Heartbeat::default()).await;
    let mut first = wanting(&consortium, "bank-a", &bank_b).await;
    assert_eq!(run(&mut first, SOME).await, 70_000);
    let mut second = wanting(&consortium, "bank-a", &bank_b).await;
    assert_eq!(run(&mut second, SOME).await, 0);
    assert_eq!(run(&mut first, SOME).await, 70_000, "it was not cut");
    drop(first);
    let free = async {
        let mut later = wanting(&consortium, "bank-a", &bank_b).await;
        while run(&mut later, SOME).await == 0 {
            later = wanting(&consortium, "bank-a", &bank_b).await;
        }
    };
    soon("the seat is free", free).await;
}

#[tokio::test]
async fn more_than_the_bound_is_cut_before_it_is_sent() {
    let consortium = Consortium::new();
    let bank_b = listening(&consortium, Heartbeat::default()).await;
    let (up_bytes, down_bytes) = (0, MAX_BYTES);
    let most = Run {
        up_bytes,
        down_bytes,
    };
    let mut caller = wanting(&consortium, "bank-a", &bank_b).await;
    assert_eq!(run(&mut caller, most).await, MAX_BYTES as usize);
    // All of it is used up.
    let one = Run {
        down_bytes: 1,
        ..most
    };
    assert_eq!(run(&mut caller, one).await, 0);
}

/// Without TLS, where the end has its reason.
#[tokio::test]
async fn each_bound_is_held() {
    let endings = [
        (u32::MAX, 0, "up_bytes alone"),
        (0, u32::MAX, "down_bytes alone"),
        // What announces a run counts.
        (MAX_BYTES, 0, "no room for the announcement"),
    ];
    for (up_bytes, down_bytes, why) in endings {
        let (mut caller, served) = duplex(64);
        let (asked, end) = tokio::join!(
            announce(
                &mut caller,
                Run {
                    up_bytes,
                    down_bytes
                }
            ),
            echo::within(DEADLINE, served)
        );
        let () = asked;
        assert!(matches!(end, Err(Cut::TooMuch)), "{why}: {end:?}");
    }
    // Nothing that is asked costs nothing for ever.
    let (mut caller, served) = duplex(1 << 10);
    let nothing = async {
        let nothing = [0; Run::BYTES];
        while caller.write_all(&nothing).await.is_ok() {}
    };
    let (end, ()) = tokio::join!(echo::within(DEADLINE, served), nothing);
    assert!(matches!(end, Err(Cut::TooMuch)), "{end:?}");
    // Who announces and sends nothing is waited for so long.
    let (mut caller, served) = duplex(64);
    announce(&mut caller, SOME).await;
    let end = echo::within(Duration::from_millis(1), served).await;
    assert!(matches!(end, Err(Cut::TooLong(_))), "{end:?}");
    // And who hangs up in between is no error.
    let (mut caller, served) = duplex(1 << 10);
    let ask = Run {
        up_bytes: 3,
        down_bytes: 5,
    };
    announce(&mut caller, ask).await;
    caller.write_all(b"abc").await.unwrap();
    let mut came = [1; 5];
    let hang_up = async {
        caller.read_exact(&mut came).await.unwrap();
        drop(caller);
    };
    let (end, ()) = tokio::join!(echo::within(DEADLINE, served), hang_up);
    assert!(end.is_ok() && came == [0; 5], "{end:?}");
}

//! Links over real mutual TLS on loopback.

#![allow(clippy::unwrap_used, clippy::panic)]

mod echo;

use std::{collections::BTreeMap, io, sync::Arc};

use entente_tls::{Authority, Identity, NewRequest, Reason, TrustDomain, Validity};
use entente_wire::{Encode, Envelope, Frame, Hello, MAX_FRAME_BYTES, Session, Spoken, WireVersion};
use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{
    framing::{FrameReader, write_frame},
    *,
};
use crate::testbed::{Consortium, DEADLINE, Line, meters, soon};

struct Party {
    address: SocketAddr,
    events: mpsc::Receiver<LinkEvent>,
    stop: CancellationToken,
}

impl Drop for Party {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Party {
    async fn next(&mut self) -> LinkEvent {
        soon("an event", self.events.recv()).await.unwrap()
    }

    async fn opened(&mut self) -> Link {
        match self.next().await {
            LinkEvent::Opened(link) => link,
            other => panic!("{other:?}"),
        }
    }

    async fn closed(&mut self) -> Link {
        match self.next().await {
            LinkEvent::Closed(link) => link,
            other => panic!("{other:?}"),
        }
    }
}

const QUICK: Heartbeat = Heartbeat {
    every: Duration::from_millis(20),
    silence: Duration::from_millis(500),
};

async fn party(
    consortium: &Consortium,
    name: &str,
    peers: &[(&str, Option<SocketAddr>)],
    heartbeat: Heartbeat,
) -> Party {
    let peers: BTreeMap<PartyName, Option<String>> = peers
        .iter()
        .map(|(peer, address)| (peer.parse().unwrap(), address.map(|a| a.to_string())))
        .collect();
    party_with(consortium.party(name), peers, heartbeat).await
}

async fn party_with(
    credentials: Arc<Credentials>,
    peers: BTreeMap<PartyName, Option<String>>,
    heartbeat: Heartbeat,
) -> Party {
    party_that_speaks(Spoken::ALL, credentials, peers, heartbeat).await
}

async fn party_that_speaks(
    spoken: Spoken,
    credentials: Arc<Credentials>,
    peers: BTreeMap<PartyName, Option<String>>,
    heartbeat: Heartbeat,
) -> Party {
    let settings = Settings {
        credentials,
        listen: "127.0.0.1:0".parse().unwrap(),
        peers,
        heartbeat,
        spoken,
        meters: meters(),
    };
    let stop = CancellationToken::new();
    let (address, events) = start(settings, stop.clone()).await.unwrap();
    Party {
        address,
        events,
        stop,
    }
}

/// A listening bank-b that knows bank-a.
async fn listening(consortium: &Consortium, heartbeat: Heartbeat) -> Party {
    party(consortium, "bank-b", &[("bank-a", None)], heartbeat).await
}

/// A caller whose bytes the test writes itself.
async fn call(consortium: &Consortium, name: &str, to: &Party) -> TlsStream<TcpStream> {
    call_for(&[], consortium, name, to).await.unwrap()
}

/// One that offers protocols.
async fn call_for(
    protocols: &[&[u8]],
    consortium: &Consortium,
    name: &str,
    to: &Party,
) -> io::Result<TlsStream<TcpStream>> {
    let expected = Identity::party("bank-b".parse().unwrap());
    let tls = consortium.party(name).client_config(&expected).unwrap();
    let mut tls = Arc::unwrap_or_clone(tls);
    tls.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    let stream = TcpStream::connect(to.address).await.unwrap();
    let name = ServerName::IpAddress(to.address.ip().into());
    let connecting = TlsConnector::from(Arc::new(tls)).connect(name, stream);
    soon("a handshake", connecting).await
}

async fn greet(stream: &mut TlsStream<TcpStream>) {
    let hello = Frame::Hello(Hello::ours("test", Spoken::ALL)).encoded();
    write_frame(stream, &hello).await.unwrap();
    stream.flush().await.unwrap();
}

/// Reads until the other side ends the connection.
async fn ended(stream: &mut (impl tokio::io::AsyncRead + Unpin)) {
    let mut rest = Vec::new();
    // An alert counts as an end as well as an end does.
    let _ = soon("the end of the connection", stream.read_to_end(&mut rest)).await;
}

fn envelope() -> Envelope {
    envelope_in(WireVersion::NEWEST)
}

fn envelope_in(version: WireVersion) -> Envelope {
    let position = Position {
        exchange: 3,
        step: 1,
    };
    let session = Session::new(Digest::of("test", &[]), version);
    Envelope::new(session, position, vec![7; 300_000])
}

#[tokio::test]
async fn one_connection_carries_both_directions() {
    let consortium = Consortium::new();
    let mut bank_b = listening(&consortium, Heartbeat::default()).await;
    let peers = [("bank-b", Some(bank_b.address))];
    let mut bank_a = party(&consortium, "bank-a", &peers, Heartbeat::default()).await;
    let (to_b, to_a) = (bank_a.opened().await, bank_b.opened().await);
    assert_eq!(
        (to_b.peer().as_str(), to_a.peer().as_str()),
        ("bank-b", "bank-a")
    );

    for (link, receiver) in [(&to_b, &mut bank_b), (&to_a, &mut bank_a)] {
        assert!(link.send(Arc::new(Frame::Data(envelope()).encoded())));
        match receiver.next().await {
            LinkEvent::Arrived {
                arrival: Arrival::Data(received),
                ..
            } => assert_eq!(*received, Received::from(envelope())),
            other => panic!("{other:?}"),
        }
    }
}

/// bank-a, of the release before, and bank-b: what the first sends in a version that
/// both speak arrives, and what it must not send ends the link.
#[tokio::test]
async fn a_link_carries_the_versions_that_both_ends_speak_and_no_other() {
    let consortium = Consortium::new();
    let mut bank_b = listening(&consortium, Heartbeat::default()).await;
    let peers = BTreeMap::from([("bank-b".parse().unwrap(), Some(bank_b.address.to_string()))]);
    let first = Spoken::up_to(WireVersion::FIRST);
    let (a, beat) = (consortium.party("bank-a"), Heartbeat::default());
    let mut bank_a = party_that_speaks(first, a, peers, beat).await;
    let (to_b, to_a) = (bank_a.opened().await, bank_b.opened().await);
    for (link, theirs) in [(&to_b, &[2, 1][..]), (&to_a, &[1])] {
        assert_eq!(link.common().newest(), WireVersion::V1);
        assert!(!link.common().has(WireVersion::V2));
        assert_eq!(link.common().theirs(), theirs);
    }
    let old = envelope_in(WireVersion::V1);
    assert!(to_b.send(Arc::new(Frame::Data(old.clone()).encoded())));
    match bank_b.next().await {
        LinkEvent::Arrived {
            arrival: Arrival::Data(received),
            ..
        } => assert_eq!(received.envelope, old),
        other => panic!("{other:?}"),
    }
    let new = envelope_in(WireVersion::V2);
    assert!(to_b.send(Arc::new(Frame::Data(new).encoded())));
    assert_eq!(bank_b.closed().await.number(), to_a.number());
}

#[tokio::test]
async fn without_a_version_in_common_there_is_no_link() {
    let consortium = Consortium::new();
    let mut bank_b = listening(&consortium, QUICK).await;
    let mut later = call(&consortium, "bank-a", &bank_b).await;
    let hello = Hello {
        versions: vec![9, 8],
        software: "9.0.0".to_owned(),
    };
    write_frame(&mut later, &Frame::Hello(hello).encoded())
        .await
        .unwrap();
    later.flush().await.unwrap();
    ended(&mut later).await;
    assert!(bank_b.events.try_recv().is_err(), "no link was opened");
}

/// A bit fell over at the sender, behind the digest and before TLS.
#[tokio::test]
async fn an_altered_message_of_version_2_is_not_taken_and_the_link_ends() {
    let consortium = Consortium::new();
    let mut bank_b = listening(&consortium, Heartbeat::default()).await;
    let mut failing = call(&consortium, "bank-a", &bank_b).await;
    greet(&mut failing).await;
    let link = bank_b.opened().await;
    let mut frame = Frame::Data(envelope()).encoded();
    *frame.last_mut().unwrap() ^= 1;
    write_frame(&mut failing, &frame).await.unwrap();
    failing.flush().await.unwrap();
    // Nothing arrived before the end.
    assert_eq!(bank_b.closed().await.number(), link.number());
}

#[tokio::test]
async fn a_lost_link_is_dialled_again() {
    let consortium = Consortium::new();
    let mut bank_b = listening(&consortium, QUICK).await;
    let peers = [("bank-b", Some(bank_b.address))];
    let mut bank_a = party(&consortium, "bank-a", &peers, QUICK).await;
    for _ in 0..3 {
        let (to_b, to_a) = (bank_a.opened().await, bank_b.opened().await);
        to_a.close();
        assert_eq!(bank_a.closed().await.number(), to_b.number());
        assert_eq!(bank_b.closed().await.number(), to_a.number());
    }
}

#[tokio::test]
async fn two_that_dial_each_other_agree_on_a_link() {
    let consortium = Consortium::new();
    // bank-a learns bank-b's address from bank-b, so reserve one for it.
    let reserved = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address_a = reserved.local_addr().unwrap();
    let peers = [("bank-a", Some(address_a))];
    let mut bank_b = party(&consortium, "bank-b", &peers, QUICK).await;
    drop(reserved);
    let settings = Settings {
        credentials: consortium.party("bank-a"),
        listen: address_a,
        peers: BTreeMap::from([("bank-b".parse().unwrap(), Some(bank_b.address.to_string()))]),
        heartbeat: QUICK,
        spoken: Spoken::ALL,
        meters: meters(),
    };
    let stop = CancellationToken::new();
    let (address, events) = start(settings, stop.clone()).await.unwrap();
    let mut bank_a = Party {
        address,
        events,
        stop,
    };
    // Each message is sent again until an answer is there, as delivery does.
    let mut link = bank_a.opened().await;
    let arrived = async {
        loop {
            link.send(Arc::new(Frame::Data(envelope()).encoded()));
            tokio::select! {
                event = bank_a.events.recv() => if let Some(LinkEvent::Opened(newer)) = event {
                    link = newer;
                },
                event = bank_b.events.recv() => if let Some(LinkEvent::Arrived { .. }) = event {
                    return;
                },
            }
        }
    };
    soon("a message", arrived).await;
}

#[tokio::test]
async fn a_peer_that_is_revoked_is_cut_off_and_not_let_in_again() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let domain = TrustDomain::default();
    let root = Authority::root("root", &domain, Validity::days(2)).unwrap();
    root.save(at).unwrap();
    let list = root.revoke(at, &[], Reason::default(), 1).unwrap();
    let member = |name: &str| {
        let identity = Identity::party(name.parse().unwrap());
        let request = NewRequest::make(&identity, &domain, &[]).unwrap();
        request.save(at, name).unwrap();
        let signed = root.sign(at, &request.request().unwrap(), Validity::days(1));
        let mut files = signed.unwrap().save(at, name).unwrap();
        files.crls = [list.clone()].into_iter().collect();
        files.reload_s = 1.try_into().unwrap();
        Arc::new(Credentials::load(&files).unwrap())
    };
    let of = |peer: &str, address: Option<SocketAddr>| {
        let address = address.map(|address| address.to_string());
        BTreeMap::from([(peer.parse().unwrap(), address)])
    };
    let (a, b) = (member("bank-a"), member("bank-b"));
    let beat = Heartbeat::default();
    let mut bank_b = party_with(b, of("bank-a", None), beat).await;
    let peers = of("bank-b", Some(bank_b.address));
    let mut bank_a = party_with(a.clone(), peers, beat).await;
    let (to_b, to_a) = (bank_a.opened().await, bank_b.opened().await);

    root.revoke(at, &[a.serial()], Reason::KeyCompromise, 1)
        .unwrap();
    let (mut cut, mut told) = (false, 0);
    // Once for the link that stood, and once for a call after it.
    while !cut || told < 2 {
        match bank_b.next().await {
            LinkEvent::Closed(link) => cut = link.number() == to_a.number(),
            LinkEvent::Revoked { peer, revocation } => {
                assert_eq!(peer.as_str(), "bank-a");
                assert_eq!(revocation.reason, Reason::KeyCompromise);
                told += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(bank_a.closed().await.number(), to_b.number());
}

#[tokio::test]
async fn the_newest_link_to_a_peer_counts() {
    let consortium = Consortium::new();
    let mut bank_b = listening(&consortium, Heartbeat::default()).await;
    let mut older = call(&consortium, "bank-a", &bank_b).await;
    greet(&mut older).await;
    let first = bank_b.opened().await;
    let mut newer = call(&consortium, "bank-a", &bank_b).await;
    greet(&mut newer).await;
    let second = bank_b.opened().await;
    assert!(second.number() > first.number());
    assert_eq!(bank_b.closed().await.number(), first.number());
    ended(&mut older).await;
    assert!(second.send(Arc::new(Frame::Pong(1).encoded())));
}

#[tokio::test]
async fn a_half_open_link_is_found_out() {
    let consortium = Consortium::new();
    let mut bank_b = listening(&consortium, QUICK).await;
    let mut silent = call(&consortium, "bank-a", &bank_b).await;
    greet(&mut silent).await;
    let link = bank_b.opened().await;
    // Reads, and so keeps the line open, but says nothing any more.
    let (closed, ()) = tokio::join!(bank_b.closed(), ended(&mut silent));
    assert_eq!(closed.number(), link.number());
}

#[tokio::test]
async fn a_peer_that_pings_is_alive() {
    let consortium = Consortium::new();
    let mut bank_b = listening(&consortium, QUICK).await;
    let mut stream = call(&consortium, "bank-a", &bank_b).await;
    greet(&mut stream).await;
    bank_b.opened().await;
    // Beyond the silence by a multiple, counted in the peer's own beats.
    let (reader, mut writer) = tokio::io::split(stream);
    let mut reader = FrameReader::new(reader, DEADLINE);
    let mut beats = 0;
    while beats < 4 * QUICK.silence.as_millis() / QUICK.every.as_millis() {
        if let Frame::Ping(number) = reader.next().await.unwrap() {
            beats += 1;
            write_frame(&mut writer, &Frame::Ping(number).encoded())
                .await
                .unwrap();
            writer.flush().await.unwrap();
        }
    }
    assert!(bank_b.events.try_recv().is_err(), "still linked");
}

#[tokio::test]
async fn frames_that_nobody_can_read_end_the_link() {
    let consortium = Consortium::new();
    let mut bank_b = listening(&consortium, Heartbeat::default()).await;
    let oversized = (MAX_FRAME_BYTES as u32 + 1).to_be_bytes().to_vec();
    let mut garbage = 5_u32.to_be_bytes().to_vec();
    garbage.extend_from_slice(&[0xee; 5]);
    let mut second_greeting = Vec::new();
    let hello = Frame::Hello(Hello::ours("again", Spoken::ALL)).encoded();
    write_frame(&mut second_greeting, &hello).await.unwrap();
    for bytes in [oversized, garbage, second_greeting] {
        let mut caller = call(&consortium, "bank-a", &bank_b).await;
        greet(&mut caller).await;
        let link = bank_b.opened().await;
        caller.write_all(&bytes).await.unwrap();
        caller.flush().await.unwrap();
        assert_eq!(bank_b.closed().await.number(), link.number());
        ended(&mut caller).await;
    }
}

#[tokio::test]
async fn who_is_no_peer_gets_no_link() {
    let consortium = Consortium::new();
    let mut bank_b = listening(&consortium, Heartbeat::default()).await;

    let mut stranger = call(&consortium, "bank-z", &bank_b).await;
    ended(&mut stranger).await;

    let mut other_greeting = call(&consortium, "bank-a", &bank_b).await;
    write_frame(&mut other_greeting, &Frame::Ping(1).encoded())
        .await
        .unwrap();
    other_greeting.flush().await.unwrap();
    ended(&mut other_greeting).await;

    let mut long_greeting = call(&consortium, "bank-a", &bank_b).await;
    long_greeting
        .write_all(&(1_u32 << 20).to_be_bytes())
        .await
        .unwrap();
    long_greeting.flush().await.unwrap();
    ended(&mut long_greeting).await;

    let mut plaintext = TcpStream::connect(bank_b.address).await.unwrap();
    write_frame(
        &mut plaintext,
        &Frame::Hello(Hello::ours("plain", Spoken::ALL)).encoded(),
    )
    .await
    .unwrap();
    ended(&mut plaintext).await;

    assert!(bank_b.events.try_recv().is_err(), "no link was opened");
}

#[tokio::test]
async fn who_answers_as_somebody_else_gets_no_link() {
    let consortium = Consortium::new();
    let mut bank_c = party(&consortium, "bank-c", &[("bank-a", None)], QUICK).await;
    // bank-a is told that bank-b is where bank-c is.
    let line = Line::to(bank_c.address).await;
    let peers = [("bank-b", Some(line.address))];
    let mut misled = party(&consortium, "bank-a", &peers, QUICK).await;
    line.called(3).await;
    assert!(misled.events.try_recv().is_err());
    assert!(bank_c.events.try_recv().is_err());
}

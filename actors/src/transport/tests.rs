//! Links over real mutual TLS on loopback.

#![allow(clippy::unwrap_used, clippy::panic)]

mod echo;
mod refused;

use std::{collections::BTreeMap, io, sync::Arc};

use entente_tls::Identity;
use entente_wire::{Encode, Envelope, Frame, Hello, Session, Spoken, WireVersion};
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
use crate::testbed::{Consortium, DEADLINE, meters, soon};

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

//! Who gets no link, and what ends one.

use entente_tls::{Authority, NewRequest, Reason, TrustDomain, Validity};
use entente_wire::MAX_FRAME_BYTES;

use super::*;
use crate::testbed::Line;

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

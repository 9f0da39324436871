//! An answer that is lost on its way.
#![allow(clippy::unwrap_used, clippy::panic)]

mod house;

use std::{net::SocketAddr, time::Instant};

use entente_coordinator::client::{Client, ClientError};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, tcp::OwnedReadHalf},
    sync::watch,
};

use house::{DEADLINE, House, spec};

/// What is encrypted in TLS, the end of the handshake included.
const APPLICATION_DATA: u8 = 0x17;

/// One record of TLS; nothing at the end.
async fn record(from: &mut OwnedReadHalf) -> Option<Vec<u8>> {
    let mut record = vec![0; 5];
    from.read_exact(&mut record).await.ok()?;
    let length = usize::from(u16::from_be_bytes([record[3], record[4]]));
    record.resize(5 + length, 0);
    from.read_exact(&mut record[5..]).await.ok()?;
    Some(record)
}

/// A link that loses every answer of its first connections, and cuts each of
/// them when it is told to; the later ones it leaves alone.
async fn lossy_link(
    listener: TcpListener,
    to: SocketAddr,
    losing: usize,
    cut: watch::Receiver<()>,
) {
    for number in 0.. {
        let (client, _) = listener.accept().await.unwrap();
        let server = TcpStream::connect(to).await.unwrap();
        let loses = number < losing;
        let mut cut = cut.clone();
        cut.mark_unchanged();
        actix_rt::spawn(async move {
            let (mut from_client, mut to_client) = client.into_split();
            let (mut from_server, mut to_server) = server.into_split();
            let (asked, mut is_asked) = watch::channel(false);
            let upwards = async {
                while let Some(record) = record(&mut from_client).await {
                    if record[0] == APPLICATION_DATA {
                        asked.send_replace(true);
                    }
                    if to_server.write_all(&record).await.is_err() {
                        break;
                    }
                }
            };
            let downwards = async {
                while let Some(record) = record(&mut from_server).await {
                    let lost = loses && *is_asked.borrow_and_update();
                    if !lost && to_client.write_all(&record).await.is_err() {
                        break;
                    }
                }
                std::future::pending::<()>().await;
            };
            let told = async {
                match loses {
                    true => cut.changed().await.unwrap(),
                    false => std::future::pending().await,
                }
            };
            tokio::select! {
                () = upwards => {}
                () = downwards => {}
                () = told => {}
            }
        });
    }
}

#[actix_rt::test]
async fn a_lost_answer_is_asked_for_again_and_makes_no_second_job() {
    let house = House::new();
    let running = house.start().await;
    let at = running.addresses.api;
    let direct = house.client(at);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let (cut, told) = watch::channel(());
    let link = actix_rt::spawn(lossy_link(listener, at, 1, told));
    let credentials = house.credentials("user/alice");
    let coordinator = "coordinator/main".parse().unwrap();
    let client = Client::new(&credentials, url.parse().unwrap(), &coordinator).unwrap();

    let spec = spec();
    let cut_when_it_is_there = async {
        let deadline = Instant::now() + DEADLINE;
        while direct.list(None).await.unwrap().is_empty() {
            assert!(Instant::now() < deadline);
        }
        cut.send_replace(());
    };
    let (submitted, ()) = tokio::join!(client.submit(&spec), cut_when_it_is_there);
    let jobs = direct.list(None).await.unwrap();
    assert_eq!(jobs.len(), 1);
    assert_eq!(submitted.unwrap().id, jobs[0].id);
    link.abort();
    running.stop().await;

    // Nothing is asked again that was never asked.
    let gone = house.client(at);
    let error = gone.submit(&spec).await.unwrap_err();
    assert!(matches!(error, ClientError::Unreachable { .. }), "{error}");
}

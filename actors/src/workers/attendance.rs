//! A worker's connection at its party, from its greeting to its end.

use std::{io, pin::pin, time::Duration};

use actix::Addr;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, split},
    sync::{mpsc, watch},
    time::{MissedTickBehavior, interval, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    Hello, Incoming, Message, Order, Parcel, Workers,
    accounts::Account,
    job::{Came, Gone, Heard, Line, RemoteJob},
    message::{MAX_BYTES, VERSION},
    posts::Caller,
    reception::{send_file, write},
};
use crate::transport::{FrameReader, Heartbeat, LinkError};

/// How long a greeting may take, and a farewell.
const GREETING: Duration = Duration::from_secs(10);
/// Messages that wait to be written. Beyond, a peer's are left to be sent again.
const QUEUE: usize = 64;

/// Serves a caller that has shown the party's certificate, until it is gone.
pub(super) async fn attend(
    stream: impl AsyncRead + AsyncWrite + Send + 'static,
    workers: &Workers,
    heartbeat: Heartbeat,
) -> Result<(), LinkError> {
    let (reader, mut writer) = split(stream);
    let mut reader = FrameReader::new(reader, heartbeat.silence);
    let greeting = timeout(GREETING, reader.next_bytes()).await;
    let greeting = greeting.map_err(|_| LinkError::Handshake(GREETING))??;
    let hello = match Message::unpacked(greeting)? {
        Message::Hello(hello) => hello,
        other => return Err(LinkError::Unexpected(other.label())),
    };
    let id = hello.worker();
    let Hello { process, .. } = hello;
    if hello.version != VERSION {
        // It is made again, of this version.
        tracing::info!(worker = %id, version = hello.version, "of another version, is told to leave");
        return dismiss(&mut reader, &mut writer, None).await;
    }
    let (number, caller) = workers.caller(id);
    let account = Account::new(workers, id, process, number);
    reader.allow(MAX_BYTES);
    let (job, needs, makes) = match caller {
        Caller::Wanted { job, needs, makes } => (job, needs, makes),
        Caller::TooEarly => {
            tracing::debug!(worker = %id, "calls before the coordinator was heard");
            return Ok(writer.shutdown().await?);
        }
        Caller::Unwanted => {
            tracing::info!(worker = %id, "nobody waits for it, is told to leave");
            return dismiss(&mut reader, &mut writer, Some(account)).await;
        }
    };
    let (orders, wished) = watch::channel(None);
    let (queue, out) = mpsc::channel(QUEUE);
    let leave = CancellationToken::new();
    let line = Line {
        number,
        orders,
        queue: queue.clone(),
        leave: leave.clone(),
    };
    if job.send(Came { line, process }).await.is_err() {
        return Ok(());
    }
    tracing::info!(worker = %id, connection = number, "a worker is there");
    let incoming = Incoming::below(workers.state_dir(), number);
    let end = {
        let mut hears = pin!(hear(&mut reader, &job, incoming, makes, &queue, &account));
        tokio::select! {
            end = &mut hears => end,
            end = speak(&mut writer, workers, needs, wished, out, heartbeat, &leave) => match end {
                // It says what it has counted, and goes.
                Ok(Silence::Dismissed) => {
                    let _ = timeout(GREETING, hears).await;
                    Ok(())
                }
                Ok(Silence::Left) => Ok(()),
                Err(error) => Err(error),
            },
        }
    };
    job.do_send(Gone(number));
    let _ = timeout(GREETING, writer.shutdown()).await;
    end
}

/// Tells a worker to leave, and listens until it has: to what it has counted, if that goes
/// to an `account`.
async fn dismiss<R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(
    reader: &mut FrameReader<R>,
    writer: &mut W,
    account: Option<Account>,
) -> Result<(), LinkError> {
    write(writer, Message::Leave).await?;
    let listens = async {
        while let Ok(bytes) = reader.next_bytes().await {
            if let (Ok(Message::Counted(counted)), Some(account)) =
                (Message::unpacked(bytes), &account)
            {
                account.hears(&counted);
            }
        }
    };
    let _ = timeout(GREETING, listens).await;
    Ok(())
}

/// Hears a worker until its connection ends. A job that is gone meanwhile hears nothing;
/// what the worker has counted is heard to the end.
async fn hear<R: AsyncRead + Unpin>(
    reader: &mut FrameReader<R>,
    job: &Addr<RemoteJob>,
    mut incoming: Incoming,
    makes: [Parcel; 2],
    queue: &mpsc::Sender<Message>,
    account: &Account,
) -> Result<(), LinkError> {
    loop {
        match Message::unpacked(reader.next_bytes().await?)? {
            Message::Beat => {}
            Message::Counted(counted) => account.hears(&counted),
            message @ (Message::Report(_) | Message::Frame(_)) => {
                // Waits until the job has taken it: who sends too much waits too.
                let _ = job.send(Heard(message)).await;
            }
            Message::Part(label, bytes) if makes.contains(&label.parcel) => {
                let taken = tokio::task::spawn_blocking(move || {
                    let kept = incoming.take(label, &bytes);
                    (incoming, kept)
                });
                let (taken, kept) = taken.await.map_err(io::Error::other)?;
                incoming = taken;
                if kept? {
                    let _ = queue.send(Message::Kept).await;
                }
            }
            other => return Err(LinkError::Unexpected(other.label())),
        }
    }
}

/// Why a worker is told nothing more.
enum Silence {
    /// It was told to leave.
    Dismissed,
    /// Its job is gone, and it stays.
    Left,
}

async fn speak<W: AsyncWrite + Unpin>(
    writer: &mut W,
    workers: &Workers,
    needs: Vec<Parcel>,
    mut wished: watch::Receiver<Option<Order>>,
    mut out: mpsc::Receiver<Message>,
    heartbeat: Heartbeat,
    leave: &CancellationToken,
) -> Result<Silence, LinkError> {
    for parcel in needs {
        send_file(writer, workers.state_dir(), parcel).await?;
    }
    let mut beat = interval(heartbeat.every);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let message = tokio::select! {
            biased;
            // Before the end of its job is all that there is to know.
            () = leave.cancelled() => {
                write(writer, Message::Leave).await?;
                return Ok(Silence::Dismissed);
            }
            changed = wished.changed() => match changed {
                Ok(()) => match wished.borrow_and_update().clone() {
                    Some(order) => Message::Order(Box::new(order)),
                    None => continue,
                },
                Err(_) => return Ok(Silence::Left),
            },
            Some(message) = out.recv() => message,
            _ = beat.tick() => Message::Beat,
        };
        write(writer, message).await?;
    }
}

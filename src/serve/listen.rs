//! Connections: accepted up to a number, read within a time, and let go when the server stops.

use super::call::Peer;
use super::patience::Patient;
use super::routes;
use super::service::Service;
use super::stop::Stop;
use crate::error::{Error, Result};
use crate::event::Event;
use crate::model_store::OpenModels;
use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Most bytes of a request's head.
const LARGEST_HEAD: usize = 64 << 10;
/// Between two looks at what nobody uses any more.
const TIDYING: Duration = Duration::from_secs(1);
/// A breath after the system could not accept a connection.
const BREATH: Duration = Duration::from_millis(100);
/// What is answered when there are too many connections.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n\
    Retry-After: 1\r\nConnection: close\r\nContent-Length: 52\r\n\r\n\
    {\"error\": \"too many connections; come again later\"}\n";

/// Opens the models, and answers until the server stops.
pub async fn run(
    listener: TcpListener,
    service: Arc<Service>,
    open: impl FnOnce() -> Result<OpenModels> + Send + 'static,
    stop: Stop,
) -> Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener);
    let listener = listener.map_err(Error::io("listening", "the server's address"))?;
    let app = routes::app(&service);
    let limits = service.options.limits.clone();
    let places = Arc::new(Semaphore::new(limits.connections.max(1)));
    let mut opening = tokio::task::spawn_blocking(open);
    let mut is_opening = true;
    let mut tidying = tokio::time::interval(TIDYING);
    let mut asked = pin!(stop.asked());
    let outcome = loop {
        tokio::select! {
            () = &mut asked => {
                if is_opening {
                    stop.work.cancel();
                }
                break Ok(());
            }
            opened = &mut opening, if is_opening => {
                is_opening = false;
                match opened {
                    Ok(Ok(models)) => service.have_models(models),
                    Ok(Err(error)) => break Err(error),
                    Err(error) => break Err(Error::Compute(Box::new(error))),
                }
            }
            _ = tidying.tick() => {
                let service = service.clone();
                tokio::task::spawn_blocking(move || service.tidy());
            }
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => match places.clone().try_acquire_owned() {
                    Ok(place) => accept(stream, peer, place, &app, &service),
                    Err(_) => refuse(stream),
                },
                Err(error) => {
                    // Too many open files, or a client that has gone meanwhile.
                    service.tell(Event::Warning(&format!("a connection failed: {error}")));
                    tokio::time::sleep(BREATH).await;
                }
            },
        }
    };
    drop(listener);
    service.stopping.make();
    service.jobs.stop();
    let all = u32::try_from(limits.connections.max(1)).unwrap_or(u32::MAX);
    // Whoever is not done by then is cut off.
    let _ = tokio::time::timeout(limits.grace, places.acquire_many(all)).await;
    outcome
}

fn accept(
    stream: TcpStream,
    peer: SocketAddr,
    place: OwnedSemaphorePermit,
    app: &Router,
    service: &Arc<Service>,
) {
    let (app, service) = (app.clone(), service.clone());
    tokio::spawn(async move {
        let _place = place;
        service.metrics.connected(true);
        // A client that breaks off is no concern of ours.
        let _ = connection(stream, peer.ip(), app, &service).await;
        service.metrics.connected(false);
    });
}

async fn connection(
    stream: TcpStream,
    peer: IpAddr,
    app: Router,
    service: &Arc<Service>,
) -> hyper::Result<()> {
    // Answers are small and go out at once; where it fails they are a little later.
    let _ = stream.set_nodelay(true);
    let patience = service.options.limits.reading;
    let app = TowerToHyperService::new(app);
    let answer = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        app.call(request)
    });
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(patience)
            .max_buf_size(LARGEST_HEAD)
            .serve_connection(TokioIo::new(Patient::new(stream, patience)), answer)
    );
    let mut stopping = pin!(service.stopping.hear());
    tokio::select! {
        done = connection.as_mut() => return done,
        () = &mut stopping => connection.as_mut().graceful_shutdown(),
    }
    connection.await
}

fn refuse(stream: TcpStream) {
    // It is not worth waiting for.
    let _ = stream.try_write(FULL);
}

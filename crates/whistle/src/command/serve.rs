//! `whistle serve`: the service, until it is told to stop.

use std::{
    panic::{self, AssertUnwindSafe},
    sync::{
        Arc,
        mpsc::{self, RecvTimeoutError},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::{
    net::TcpListener,
    runtime,
    signal::unix::{SignalKind, signal},
};
use whistle_service::{
    Whistle, duties, facts,
    notices::{self, Courier},
    search, suggest,
};
use whistle_web::{App, Settings};

use crate::{
    config::Config,
    failure::{Failure, Result},
    output,
    server::{self, Limits},
};

pub(super) const EXAMPLE: &str = "SIGTERM or SIGINT finishes what was accepted and stops; a second one stops at once. \
    SIGHUP takes over places that were applied.\n\
    Example: whistle serve --data /var/lib/whistle --listen 127.0.0.1:8311";

/// Upper bounds of what `…_seconds` are counted in, in seconds: fine where an answer should be, up to the timeout.
const SECONDS: [f64; 14] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];

pub(super) fn run(config: &Config) -> Result<()> {
    let whistle = Whistle::open(config.site.clone())?;
    serve(config, whistle, |_| {})
}

/// Serves until a signal; calls `ready` with the address as soon as requests are taken.
pub(super) fn serve(config: &Config, whistle: Whistle, ready: impl FnOnce(&str)) -> Result<()> {
    if whistle.places().all().is_empty() {
        tracing::warn!("no place is in force; apply one with `whistle apply DIR`");
    }
    let metrics = if config.metrics {
        Some(start_metrics()?)
    } else {
        None
    };
    // Kept here to the end: it has a runtime of its own, which must not be dropped within another.
    let courier = Courier::open(whistle.clone(), config.outgoing.clone())
        .map_err(|error| Failure::Usage(error.to_string()))?;
    let courier = Arc::new(courier);
    let runtime = runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("whistle-web")
        .build()
        .map_err(|error| Failure::Refused(format!("no threads can be started: {error}")))?;
    if let Some(missing) = config.basemap.as_ref().filter(|path| !path.exists()) {
        return Err(Failure::Refused(format!(
            "setting basemap names {}, which is not there; name a PMTiles file or a folder of them, or unset it",
            missing.display()
        )));
    }
    let served = runtime.block_on(async {
        let listener = TcpListener::bind(&config.listen).await.map_err(|error| {
            let listen = &config.listen;
            Failure::Refused(format!(
                "cannot listen on {listen}: {error}; name another address with --listen"
            ))
        })?;
        let address = listener
            .local_addr()
            .map_err(|error| Failure::Refused(format!("cannot listen: {error}")))?;
        let stop = stop_signal()?;
        reload_on_hangup(&whistle)?;
        let duties = Duties::start(whistle.clone(), Arc::clone(&courier), metrics.clone())?;
        let app = App::new(whistle.clone(), settings(config), metrics);
        let router = whistle_web::router(app.clone());
        let stop = async move {
            stop.await;
            app.begin_stop();
        };
        let address = format!("http://{address}");
        output::line(format!("listening on {address}"));
        ready(&address);
        let limits = Limits {
            connections: config.connections,
            header_timeout: config.header_timeout,
            drain: config.drain,
            stop_within: config.stop_within,
        };
        let cut = server::serve(listener, router, limits, stop).await;
        if cut > 0 {
            tracing::warn!(connections = cut, "requests were not done in time and are cut");
        }
        Ok(duties)
    });
    runtime.shutdown_background();
    if let Ok(duties) = &served {
        duties.stop();
    }
    whistle.close();
    if let Ok(duties) = served {
        duties.join();
        tracing::info!("stopped");
        return Ok(());
    }
    served.map(drop)
}

fn settings(config: &Config) -> Settings {
    Settings {
        base_url: config.base_url.clone(),
        max_body: config.max_body,
        timeout: config.timeout,
        concurrency: config.concurrency,
        // Each holds a connection; most of them are for requests.
        streams: config.connections as usize / 4,
        rate: config.rate,
        burst: config.burst,
        trusted_proxies: config.trusted_proxies.clone(),
        private_webhooks: config.outgoing.private_webhooks,
        basemap: config.basemap.clone(),
    }
}

fn start_metrics() -> Result<PrometheusHandle> {
    let failed = |error| Failure::Refused(format!("metrics cannot be kept: {error}"));
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
        .map_err(failed)?
        .install_recorder()
        .map_err(failed)?;
    metrics::gauge!("whistle_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    Ok(handle)
}

/// Done when the process is told to stop. A second signal ends it at once: what was answered is on the disk anyway.
fn stop_signal() -> Result<impl Future<Output = ()>> {
    let watch = |kind| signal(kind).map_err(|error| Failure::Refused(format!("no signal handler: {error}")));
    let (mut terminate, mut interrupt) = (watch(SignalKind::terminate())?, watch(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping; requests under way are finished first");
        tokio::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            tracing::warn!("stopped at once by a second signal");
            std::process::exit(1);
        });
    })
}

fn reload_on_hangup(whistle: &Whistle) -> Result<()> {
    let mut hangup = signal(SignalKind::hangup())
        .map_err(|error| Failure::Refused(format!("no signal handler: {error}")))?;
    let whistle = whistle.clone();
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            let whistle = whistle.clone();
            let reloaded = tokio::task::spawn_blocking(move || whistle.reload_places()).await;
            match reloaded {
                Ok(Ok(changed)) => tracing::info!(changed, "places looked at again"),
                Ok(Err(error)) => tracing::error!(%error, "places cannot be reloaded; the old ones stay"),
                Err(error) => tracing::error!(%error, "places cannot be reloaded; the old ones stay"),
            }
        }
    });
    Ok(())
}

/// The threads that look after the duties, and those of what must not wait for the duties: whether a place was applied,
/// whether a clock has a step to take, what is told to whom, by which words cases are found, what reports may be about, and what figures are counted from. Whatever goes wrong in them is logged and tried again.
struct Duties {
    threads: [Again; 7],
    courier: Arc<Courier>,
}

impl Duties {
    fn start(whistle: Whistle, courier: Arc<Courier>, metrics: Option<PrometheusHandle>) -> Result<Self> {
        let (places, clocks) = (whistle.clone(), whistle.clone());
        let (indexing, learning) = (whistle.clone(), whistle.clone());
        let following = whistle.clone();
        let sending = Arc::clone(&courier);
        let threads = [
            Again::start("whistle-places", duties::LOOK_AT_PLACES_EVERY, move || {
                look_at_places(&places);
            })?,
            Again::start("whistle-clocks", duties::EVERY, move || take_steps(&clocks))?,
            Again::start("whistle-duties", duties::EVERY, move || {
                do_once(&whistle);
                if let Some(metrics) = &metrics {
                    // Samples pile up until they are counted, which nobody else does while nobody asks.
                    metrics.run_upkeep();
                }
            })?,
            Again::start("whistle-notices", notices::EVERY, move || send_notices(&sending))?,
            Again::start("whistle-search", search::EVERY, move || index_cases(&indexing))?,
            Again::start("whistle-learning", suggest::EVERY, move || learn(&learning))?,
            Again::start("whistle-facts", facts::EVERY, move || keep_facts(&following))?,
        ];
        Ok(Self { threads, courier })
    }

    fn stop(&self) {
        self.threads.iter().for_each(Again::stop);
        self.courier.stop();
    }

    fn join(self) {
        self.threads.into_iter().for_each(Again::join);
    }
}

/// A thread that does something again and again until it is stopped.
struct Again {
    stop: mpsc::Sender<()>,
    thread: JoinHandle<()>,
}

impl Again {
    fn start(name: &str, every: Duration, work: impl Fn() + Send + 'static) -> Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let thread = thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(every) {
                    work();
                }
            })
            .map_err(|error| Failure::Refused(format!("no threads can be started: {error}")))?;
        Ok(Self { stop, thread })
    }

    fn stop(&self) {
        // Gone already only if the thread is.
        let _ = self.stop.send(());
    }

    fn join(self) {
        if self.thread.join().is_err() {
            tracing::error!("a thread panicked");
        }
    }
}

fn look_at_places(whistle: &Whistle) {
    match panic::catch_unwind(AssertUnwindSafe(|| whistle.reload_places())) {
        Ok(Ok(true)) => tracing::info!("a place that was applied is in force"),
        Ok(Ok(false)) => {}
        Ok(Err(error)) => tracing::error!(%error, "places cannot be reloaded; the old ones stay"),
        Err(_) => tracing::error!("reloading places panicked; the old ones stay"),
    }
}

fn take_steps(whistle: &Whistle) {
    match panic::catch_unwind(AssertUnwindSafe(|| whistle.take_steps())) {
        Ok(Ok(0)) => {}
        Ok(Ok(taken)) => tracing::info!(taken, "steps of clocks"),
        Ok(Err(error)) => {
            metrics::counter!("whistle_duties_failed_total").increment(1);
            tracing::error!(%error, "the steps of clocks failed; they are tried again");
        }
        Err(_) => {
            metrics::counter!("whistle_duties_failed_total").increment(1);
            tracing::error!("the steps of clocks panicked; they are tried again");
        }
    }
}

fn send_notices(courier: &Courier) {
    match panic::catch_unwind(AssertUnwindSafe(|| courier.turn())) {
        Ok(Ok(done)) if done != notices::Round::default() => {
            tracing::info!(
                made = done.made,
                sent = done.sent,
                failed = done.failed,
                dead = done.dead,
                dropped = done.dropped,
                "notices"
            );
        }
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::error!(%error, "notices cannot be sent; they are tried again"),
        Err(_) => tracing::error!("sending notices panicked; they are tried again"),
    }
}

fn index_cases(whistle: &Whistle) {
    match panic::catch_unwind(AssertUnwindSafe(|| whistle.index_cases())) {
        Ok(Ok(cases)) => tracing::debug!(cases, "cut into the words by which they are found"),
        Ok(Err(error)) => tracing::error!(%error, "cases are not found by their words; it is tried again"),
        Err(_) => tracing::error!("cutting cases into words panicked; it is tried again"),
    }
}

fn learn(whistle: &Whistle) {
    match panic::catch_unwind(AssertUnwindSafe(|| whistle.learn())) {
        Ok(Ok(0)) => {}
        Ok(Ok(cases)) => tracing::info!(cases, "learnt from closed cases what reports may be about"),
        Ok(Err(error)) => {
            tracing::error!(%error, "nothing can be learnt from closed cases; it is tried again");
        }
        Err(_) => tracing::error!("learning from closed cases panicked; it is tried again"),
    }
}

fn keep_facts(whistle: &Whistle) {
    match panic::catch_unwind(AssertUnwindSafe(|| whistle.look_after_facts())) {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::error!(%error, "facts are behind the log; it is tried again"),
        Err(_) => tracing::error!("keeping facts panicked; it is tried again"),
    }
}

fn do_once(whistle: &Whistle) {
    match panic::catch_unwind(AssertUnwindSafe(|| whistle.do_duties())) {
        Ok(Ok(done)) if done != duties::Done::default() => {
            tracing::info!(
                escalated = done.escalated,
                woken = done.woken,
                reckoned = done.reckoned,
                erased = done.erased,
                texts_erased = done.texts_erased,
                forgotten = done.forgotten,
                removed = done.removed,
                "duties"
            );
        }
        Ok(Ok(_)) => {}
        Ok(Err(error)) => {
            metrics::counter!("whistle_duties_failed_total").increment(1);
            tracing::error!(%error, "the duties failed; they are tried again");
        }
        Err(_) => {
            metrics::counter!("whistle_duties_failed_total").increment(1);
            tracing::error!("the duties panicked; they are tried again");
        }
    }
}

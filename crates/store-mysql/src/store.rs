//! The store as the shop sees it.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use double11_store::{
    AddToCart, Answer, Attempt, CancelOutcome, Cart, CartOutcome, CatalogueFacts, FailureSignal,
    Figures, FinalizePayment, Finalized, Lever, ListedProduct, NewProduct, OrderView, PageRequest,
    PayOutcome, PendingRefund, PlaceOrder, PlaceOutcome, PreparePayment, Product, RemoveFromCart,
    SearchPage, StockPolicy, Store, StoreError, StoreFailure,
};
use double11_units::{AttemptId, CartId, OrderId, ProductId, UnixMicros};

use crate::connect::{Connector, Family, Target};
use crate::connections::{Connections, Trouble};
use crate::engine::{Engine, Group, GroupError};
use crate::failure::Down;
use crate::health::{Health, Upkeep};
use crate::ids::{IdSource, Layout, reserve};
use crate::open::{OpenError, check, connect_error};
use crate::options::MysqlOptions;
use crate::read::{catalogue, sales};
use crate::seed::{self, Seed};
use crate::session::{Session, Style};
use crate::work::{Command, Outcome, ShopFacts, Task, WorkError, WorkResult};
use crate::writer::{Bounds, Desk, WRITERS, WriterParts, Writers};

/// A shop's store in a MySQL database, which other shops may use at the same time.
pub struct MysqlStore {
    engine: Arc<Engine>,
    connector: Connector,
    connections: Arc<Connections>,
    health: Arc<Health>,
    upkeep: Arc<Upkeep>,
    ids: Arc<IdSource>,
    writers: Option<Arc<Writers>>,
    failure: FailureSignal,
}

/// Never shows the password.
impl std::fmt::Debug for MysqlStore {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("MysqlStore")
            .field("connector", &self.connector)
            .field("facts", &self.engine.facts)
            .finish_non_exhaustive()
    }
}

impl MysqlStore {
    /// Checks server and tables, and starts the store's threads. Changes no tables.
    ///
    /// # Errors
    /// [`OpenError`], which names what is wrong.
    pub fn open(options: MysqlOptions) -> Result<Self, OpenError> {
        let target = Target::parse(&options.url, options.password.as_deref())?;
        let (conn, family) = check(&target)?;
        drop(conn);
        let connector = Connector::new(target, family);
        let writes_in_groups = options.levers.has(Lever::GroupCommit);
        let style = if writes_in_groups {
            Style::Batched
        } else {
            Style::Prepared
        };
        let connected = connector.connect(style);
        let mut session = connected.map_err(|source| connect_error(&connector.target, source))?;
        let fail = |error| open_error(&connector.target, error);
        let currency = seed::facts(&mut session)
            .map_err(fail)?
            .map_or(options.currency, |facts| facts.currency);
        let layout = match family {
            Family::OceanBase => Layout::Scattered,
            Family::Mysql | Family::Mariadb => Layout::Ordered,
        };
        let block = reserve(&mut session).map_err(fail)?;
        let ids = Arc::new(IdSource::new(block, layout));
        let engine = Arc::new(Engine {
            facts: ShopFacts {
                currency,
                payment_window: options.payment_window,
                layout,
                has_indexes: options.levers.has(Lever::Indexes),
            },
            clock: options.clock,
            observer: options.observer,
            stock_policy: options.stock_policy,
            memory: writes_in_groups.then(Default::default),
        });
        let health = Arc::new(Health::default());
        let failure = FailureSignal::new();
        let writers = if writes_in_groups {
            let parts = WriterParts {
                engine: Arc::clone(&engine),
                connector: connector.clone(),
                health: Arc::clone(&health),
            };
            let bounds = Bounds {
                queue_max: options.queue_max,
                group_max: options.group_max,
            };
            let desks = desks(&connector, session, &ids)?;
            Some(Writers::start(&parts, desks, bounds, &failure)?)
        } else {
            None
        };
        let to_requests = (connector.clone(), Arc::clone(&health));
        let connections = Arc::new(if options.levers.has(Lever::Pool) {
            Connections::pooled(to_requests.0, to_requests.1, options.pool_size)
        } else {
            Connections::per_request(to_requests.0, to_requests.1)
        });
        let upkeep = Upkeep::start(connector.clone(), Arc::clone(&health), Arc::clone(&ids))
            .map_err(OpenError::Thread)?;
        Ok(Self {
            engine,
            connector,
            connections,
            health,
            upkeep: Arc::new(upkeep),
            ids,
            writers: writers.map(Arc::new),
            failure,
        })
    }

    /// The catalogue that the store was seeded with, or none when it is empty. Blocks.
    ///
    /// # Errors
    /// [`OpenError`] when the database cannot be read.
    pub fn catalogue_facts(&self) -> Result<Option<CatalogueFacts>, OpenError> {
        seed::facts(&mut self.session()?).map_err(|error| open_error(&self.connector.target, error))
    }

    /// What tells this store from any other, the same for all its shops; none when it is empty. Blocks.
    ///
    /// # Errors
    /// [`OpenError`] when the database cannot be read.
    pub fn identity(&self) -> Result<Option<String>, OpenError> {
        seed::identity(&mut self.session()?)
            .map_err(|error| open_error(&self.connector.target, error))
    }

    /// Fills an empty store with a catalogue, in one transaction. Blocks.
    ///
    /// # Errors
    /// [`OpenError`] when the database refuses; a store that has a catalogue is refused by its primary
    /// keys, also when two shops seed at the same time.
    pub fn seed(&self, seed: i64, products: &[NewProduct]) -> Result<(), OpenError> {
        let seed = Seed {
            number: seed,
            products,
            currency: self.engine.facts.currency,
            now: self.engine.clock.now(),
        };
        seed::seed(&mut self.session()?, seed)
            .map_err(|error| open_error(&self.connector.target, error))
    }

    /// Round trips of this store to its server so far, each with one statement or more. The preparation of a
    /// statement, once a kept connection, is not counted.
    pub fn round_trips(&self) -> u64 {
        self.connector.sent.load(Ordering::Relaxed)
    }

    pub(crate) fn connections(&self) -> Arc<Connections> {
        Arc::clone(&self.connections)
    }

    fn session(&self) -> Result<Session, OpenError> {
        self.connector
            .connect(Style::Prepared)
            .map_err(|source| connect_error(&self.connector.target, source))
    }

    fn read<T, F>(&self, read: F) -> Answer<T>
    where
        T: Send + 'static,
        F: Fn(&mut Session, &ShopFacts) -> WorkResult<T> + Send + 'static,
    {
        let facts = self.engine.facts;
        Box::pin(self.connections().run(move |session| {
            read(session, &facts).map_err(|error| Trouble::from(GroupError::before_commit(error)))
        }))
    }

    fn write<T, F>(&self, command: Command, pick: F) -> Answer<T>
    where
        T: Send + 'static,
        F: FnOnce(Outcome) -> Option<T> + Send + 'static,
    {
        let drawn = self.ids.draw();
        if drawn.wants_block {
            self.health.want_ids();
        }
        let Some(fresh_id) = drawn.id else {
            return Box::pin(async { Err(StoreError::Unavailable(Arc::new(Down))) });
        };
        let is_unlocked = self.engine.stock_policy == StockPolicy::ReadThenWrite
            && matches!(command, Command::Place(_));
        if let Some(writers) = &self.writers
            && !is_unlocked
        {
            // Queued at once: commands are taken in the order of the calls, though two writers may commit them
            // in another one.
            let queued = writers.submit(command, fresh_id);
            return Box::pin(async move {
                let outcome = queued?.await.unwrap_or(Err(StoreError::OutcomeUnknown))?;
                pick(outcome).ok_or(StoreError::OutcomeUnknown)
            });
        }
        let engine = Arc::clone(&self.engine);
        let connections = self.connections();
        Box::pin(async move {
            let outcome = connections
                .run(move |session| run_alone(&engine, session, &command, fresh_id))
                .await?;
            pick(outcome).ok_or(StoreError::OutcomeUnknown)
        })
    }
}

/// A desk for each writer, the first with the session that is open already.
fn desks(connector: &Connector, first: Session, ids: &IdSource) -> Result<Vec<Desk>, OpenError> {
    let more = (1..WRITERS).map(|_| {
        let connected = connector.connect(Style::Batched);
        connected.map_err(|source| connect_error(&connector.target, source))
    });
    std::iter::once(Ok(first))
        .chain(more)
        .map(|session| {
            Ok(Desk {
                session: session?,
                writer_id: ids.draw().id.unwrap_or_default(),
            })
        })
        .collect()
}

/// One write, one transaction: the way of a shop without the lever `group-commit`.
fn run_alone(
    engine: &Engine,
    session: &mut Session,
    command: &Command,
    fresh_id: i64,
) -> Result<Outcome, Trouble> {
    let group = Group {
        tasks: &[Task { command, fresh_id }],
        mark: None,
        is_again: false,
    };
    let outcomes = engine.run(session, group)?;
    outcomes
        .into_iter()
        .next()
        .ok_or(Trouble::Final(StoreError::OutcomeUnknown))
}

pub(crate) fn open_error(target: &Target, error: WorkError) -> OpenError {
    let source = match error {
        WorkError::Mysql(source) => source,
        other => mysql::Error::IoError(std::io::Error::other(other)),
    };
    OpenError::Mysql {
        server: target.name().to_owned(),
        source,
    }
}

impl Store for MysqlStore {
    fn kind(&self) -> &'static str {
        "mysql"
    }

    fn is_shared(&self) -> bool {
        true
    }

    /// Whoever reads all products need not ask for the price or the level of one again.
    fn catalogue(&self) -> Answer<Vec<Product>> {
        let engine = Arc::clone(&self.engine);
        self.read(move |session, facts| {
            let products = catalogue::all(session, facts)?;
            if let Some(memory) = &engine.memory {
                let levels = catalogue::levels(session)?;
                memory.learn_all(&products, levels);
            }
            Ok(products)
        })
    }

    fn sold_out_products(&self) -> Answer<Vec<ProductId>> {
        self.read(|session, _facts| catalogue::sold_out(session))
    }

    fn product(&self, product_id: ProductId) -> Answer<Option<ListedProduct>> {
        self.read(move |session, facts| catalogue::one(session, facts, product_id))
    }

    fn random_product(&self) -> Answer<Option<ListedProduct>> {
        self.read(catalogue::random)
    }

    fn products(&self, page: PageRequest) -> Answer<Vec<ListedProduct>> {
        self.read(move |session, facts| catalogue::page(session, facts, page))
    }

    fn search(&self, text: String, limit: u32) -> Answer<SearchPage> {
        self.read(move |session, facts| catalogue::search(session, facts, &text, limit))
    }

    fn cart(&self, cart_id: CartId) -> Answer<Option<Cart>> {
        self.read(move |session, facts| sales::cart(session, facts, cart_id))
    }

    fn add_to_cart(&self, command: AddToCart) -> Answer<CartOutcome> {
        self.write(Command::AddToCart(command), |outcome| match outcome {
            Outcome::Cart(cart) => Some(cart),
            _ => None,
        })
    }

    fn remove_from_cart(&self, command: RemoveFromCart) -> Answer<CartOutcome> {
        self.write(Command::RemoveFromCart(command), |outcome| match outcome {
            Outcome::Cart(cart) => Some(cart),
            _ => None,
        })
    }

    fn place_order(&self, command: PlaceOrder) -> Answer<PlaceOutcome> {
        self.write(Command::Place(command), |outcome| match outcome {
            Outcome::Place(place) => Some(place),
            _ => None,
        })
    }

    fn order(&self, order_id: OrderId) -> Answer<Option<OrderView>> {
        self.read(move |session, facts| sales::view(session, facts, order_id))
    }

    fn cancel_order(&self, order_id: OrderId) -> Answer<CancelOutcome> {
        self.write(Command::Cancel(order_id), |outcome| match outcome {
            Outcome::Cancel(cancel) => Some(cancel),
            _ => None,
        })
    }

    fn expire_due(&self, limit: u32) -> Answer<u32> {
        self.write(Command::Expire { limit }, |outcome| match outcome {
            Outcome::Expire(expired) => Some(expired),
            _ => None,
        })
    }

    fn prepare_payment(&self, command: PreparePayment) -> Answer<PayOutcome> {
        self.write(Command::Prepare(command), |outcome| match outcome {
            Outcome::Prepare(prepare) => Some(prepare),
            _ => None,
        })
    }

    fn finalize_payment(&self, command: FinalizePayment) -> Answer<Finalized> {
        self.write(Command::Finalize(command), |outcome| match outcome {
            Outcome::Finalize(finalize) => Some(finalize),
            _ => None,
        })
    }

    fn unresolved_payments(&self, gateway: &'static str, limit: u32) -> Answer<Vec<Attempt>> {
        self.read(move |session, facts| sales::unresolved(session, facts, gateway, limit))
    }

    fn pending_refunds(&self, gateway: &'static str, limit: u32) -> Answer<Vec<PendingRefund>> {
        self.read(move |session, facts| sales::pending_refunds(session, facts, gateway, limit))
    }

    fn finish_refund(&self, order_id: OrderId, attempt_id: AttemptId) -> Answer<()> {
        let command = Command::FinishRefund {
            order_id,
            attempt_id,
        };
        self.write(command, |outcome| match outcome {
            Outcome::FinishRefund => Some(()),
            _ => None,
        })
    }

    fn restock(&self, product_id: ProductId, pieces: u32) -> Answer<bool> {
        self.take_in(product_id, pieces)
    }

    fn purge(&self, keys_before: UnixMicros, carts_before: UnixMicros, limit: u32) -> Answer<u32> {
        self.delete_old(keys_before, carts_before, limit)
    }

    fn figures(&self) -> Answer<Figures> {
        self.read(|session, _facts| sales::figures(session))
    }

    fn ping(&self) -> Answer<()> {
        self.read(|session, _facts| Ok(session.run("SELECT 1")?))
    }

    fn failed(&self) -> Pin<Box<dyn Future<Output = StoreFailure> + Send + 'static>> {
        Box::pin(self.failure.clone().wait())
    }

    fn close(&self) -> Answer<()> {
        let writers = self.writers.clone();
        let upkeep = Arc::clone(&self.upkeep);
        let connections = self.connections();
        Box::pin(async move {
            tokio::task::spawn_blocking(move || {
                if let Some(writers) = writers {
                    writers.close();
                }
                upkeep.close();
                connections.close();
            })
            .await
            .map_err(|_| StoreError::OutcomeUnknown)
        })
    }
}

/// Ends the threads of a store that was not closed. What is queued is still written.
impl Drop for MysqlStore {
    fn drop(&mut self) {
        if let Some(writers) = &self.writers {
            writers.close();
        }
        self.upkeep.close();
        self.connections.close();
    }
}

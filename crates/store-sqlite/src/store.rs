//! The store as the shop sees it.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use double11_store::{
    AddToCart, Answer, Attempt, CancelOutcome, Cart, CartOutcome, CatalogueFacts, FailureSignal,
    Figures, FinalizePayment, Finalized, Lever, ListedProduct, NewProduct, OrderView, PageRequest,
    PayOutcome, PendingRefund, PlaceOrder, PlaceOutcome, PreparePayment, Product, RemoveFromCart,
    SearchPage, StockPolicy, Stopwatch, Store, StoreError, StoreFailure,
};
use double11_units::{AttemptId, CartId, Currency, OrderId, ProductId, UnixMicros};
use rusqlite::{Connection, OptionalExtension};

use crate::checkpoint::Checkpointer;
use crate::connections::Connections;
use crate::failure::{commit_surely_failed, store_error};
use crate::file::{self, OpenError, StoreLock};
use crate::ids::IdSource;
use crate::options::SqliteOptions;
use crate::work::data_life::Due;
use crate::work::new_orders::NewOrders;
use crate::work::stock::{GroupedStock, GuardedStock, StockMoves, UnlockedStock};
use crate::work::{
    Command, Outcome, ShopFacts, Work, WorkResult, carts, catalogue, figures, orders, payments,
};
use crate::writer::{Horizon, Settler, Writer, WriterParts, log_path};

/// A shop's store in one SQLite file.
pub struct SqliteStore {
    shared: Arc<Shared>,
    writer: Option<Arc<Writer>>,
    lock: Mutex<Option<StoreLock>>,
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("SqliteStore")
            .field("options", &self.shared.options)
            .finish_non_exhaustive()
    }
}

/// What requests share.
struct Shared {
    options: SqliteOptions,
    facts: ShopFacts,
    connections: Connections,
    ids: IdSource,
    failure: FailureSignal,
    horizon: Arc<Horizon>,
}

impl SqliteStore {
    /// Opens the store, creating its file when it does not exist, and starts its writer.
    ///
    /// # Errors
    /// [`OpenError`] when the file is in use, foreign, of another version or cannot be made durable.
    pub fn open(mut options: SqliteOptions) -> Result<Self, OpenError> {
        options.path = file::resolve(&options.path)?;
        let lock = StoreLock::take(&options.path)?;
        let first = file::prepare(&options)?;
        let path = options.path.clone();
        let sqlite = |source| OpenError::Sqlite {
            path: path.clone(),
            source,
        };
        let currency = stored_currency(&first)
            .map_err(sqlite)?
            .unwrap_or(options.currency);
        let ids = IdSource::after(largest_id(&first).map_err(sqlite)?);
        let facts = ShopFacts {
            currency,
            payment_window: options.payment_window,
        };
        let failure = FailureSignal::new();
        let horizon = Arc::new(Horizon::new(failure.clone()));
        let writer = if options.levers.has(Lever::GroupCommit) {
            let mut connection = file::connect_writer(&options.path).map_err(sqlite)?;
            let checkpointer =
                Checkpointer::start(&mut connection, &options.path).map_err(sqlite)?;
            let parts = WriterParts {
                connection,
                checkpointer,
                facts,
                clock: Arc::clone(&options.clock),
                failure: failure.clone(),
                queue_max: options.queue_max,
                group_max: options.group_max,
                // The wrong policy writes rows beside the writer.
                stock: GroupedStock::new(options.stock_policy == StockPolicy::Guarded),
                settler: Settler {
                    log: file::open_log(&log_path(&options.path))?,
                    horizon: Arc::clone(&horizon),
                    failure: failure.clone(),
                    observer: Arc::clone(&options.observer),
                },
                committed: Vec::new(),
            };
            let writer = Writer::start(parts).map_err(|source| OpenError::Lock {
                path: options.path.clone(),
                source,
            })?;
            Some(Arc::new(writer))
        } else {
            None
        };
        let connections = if options.levers.has(Lever::Pool) {
            let more = (1..options.pool_size).map(|_| file::connect_kept(&options.path));
            let pool: rusqlite::Result<Vec<Connection>> =
                std::iter::once(Ok(first)).chain(more).collect();
            Connections::pooled(pool.map_err(sqlite)?)
        } else {
            Connections::per_request(options.path.clone(), first)
        };
        let shared = Arc::new(Shared {
            options,
            facts,
            connections,
            ids,
            failure,
            horizon,
        });
        Ok(Self {
            shared,
            writer,
            lock: Mutex::new(Some(lock)),
        })
    }

    /// The catalogue that the store was seeded with, or none when it is empty.
    ///
    /// # Errors
    /// SQLite's, when the file cannot be read.
    pub fn catalogue_facts(&self) -> Result<Option<CatalogueFacts>, rusqlite::Error> {
        let currency = self.shared.facts.currency;
        file::connect(&self.shared.options.path)?
            .query_row("SELECT catalogue_seed, products FROM shop", [], |row| {
                Ok(CatalogueFacts {
                    seed: row.get(0)?,
                    products: row.get(1)?,
                    currency,
                })
            })
            .optional()
    }

    /// Fills an empty store with a catalogue, in one transaction.
    ///
    /// # Errors
    /// SQLite's; a store that has a catalogue is refused by its primary keys.
    pub fn seed(&self, seed: i64, products: &[NewProduct]) -> Result<(), rusqlite::Error> {
        let mut connection = file::connect_kept(&self.shared.options.path)?;
        let transaction = connection.transaction()?;
        {
            let mut product = transaction.prepare(
                "INSERT INTO products (product_id, name, name_en, category, price) \
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?;
            let mut stock = transaction.prepare(
                "INSERT INTO stock (product_id, received, available, reserved, sold) \
                 VALUES (?1, ?2, ?2, 0, 0)",
            )?;
            for new in products {
                let id = new.product.product_id.get();
                product.execute((
                    id,
                    &new.product.name,
                    &new.product.name_en,
                    new.product.category.name(),
                    new.product.price.minor_units(),
                ))?;
                stock.execute((id, new.stock))?;
            }
        }
        transaction.execute(
            "INSERT INTO shop (id, currency, catalogue_seed, products, created_at) \
             VALUES (1, ?1, ?2, ?3, ?4)",
            (
                self.shared.facts.currency.code(),
                seed,
                i64::try_from(products.len()).unwrap_or(i64::MAX),
                self.shared.options.clock.now().get(),
            ),
        )?;
        transaction.commit()
    }

    fn read<T, F>(&self, read: F) -> Answer<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection, &ShopFacts) -> WorkResult<T> + Send + 'static,
    {
        let shared = Arc::clone(&self.shared);
        Box::pin(async move {
            let facts = shared.facts;
            let found = shared
                .connections
                .run(move |connection| {
                    read(connection, &facts).map_err(|error| store_error(error.into_sqlite()))
                })
                .await?;
            // What was read may be of a commit that the disk does not have yet.
            shared.horizon.passed().await?;
            Ok(found)
        })
    }

    fn write<T, F>(&self, command: Command, pick: F) -> Answer<T>
    where
        T: Send + 'static,
        F: FnOnce(Outcome) -> Option<T> + Send + 'static,
    {
        let outcome = write(&self.shared, self.writer.as_ref(), command);
        Box::pin(async move { pick(outcome.await?).ok_or(StoreError::OutcomeUnknown) })
    }
}

/// Sends a command on its way at once, so that commands are taken in the order of the calls.
fn write(shared: &Arc<Shared>, writer: Option<&Arc<Writer>>, command: Command) -> Answer<Outcome> {
    let fresh_id = shared.ids.next(shared.options.clock.now());
    let unlocked = shared.options.stock_policy == StockPolicy::ReadThenWrite
        && matches!(command, Command::Place(_));
    if let Some(writer) = writer
        && !unlocked
    {
        let queued = writer.submit(command, fresh_id);
        return Box::pin(async move { queued?.await.unwrap_or(Err(StoreError::OutcomeUnknown)) });
    }
    Box::pin(Arc::clone(shared).write_alone(command, fresh_id))
}

impl Shared {
    /// One write, one transaction: the way of a shop without the lever `group-commit`.
    async fn write_alone(
        self: Arc<Self>,
        command: Command,
        fresh_id: i64,
    ) -> Result<Outcome, StoreError> {
        if self.failure.is_raised() {
            return Err(StoreError::Closed);
        }
        let shared = Arc::clone(&self);
        let outcome = self
            .connections
            .run(move |connection| shared.transact(connection, &command, fresh_id))
            .await?;
        // A refusal may rest on a commit of the writer that the disk does not have yet.
        self.horizon.passed().await?;
        Ok(outcome)
    }

    fn transact(
        &self,
        connection: &Connection,
        command: &Command,
        fresh_id: i64,
    ) -> Result<Outcome, StoreError> {
        let mut stock = self
            .stock_moves(connection, command)
            .map_err(|error| store_error(error.into_sqlite()))?;
        connection
            .execute_batch("BEGIN IMMEDIATE")
            .map_err(store_error)?;
        if self.failure.is_raised() {
            // Another COMMIT failed while this one waited for the lock.
            self.roll_back(connection);
            return Err(StoreError::Closed);
        }
        let mut work = Work {
            connection,
            facts: self.facts,
            now: self.options.clock.now(),
            stock: stock.as_mut(),
            new_orders: NewOrders::default(),
        };
        let outcome = match work.execute(command, fresh_id) {
            Ok(outcome) if !outcome.changed_nothing() => outcome,
            other => {
                self.roll_back(connection);
                return other.map_err(|error| store_error(error.into_sqlite()));
            }
        };
        if let Err(error) = work.finish() {
            self.roll_back(connection);
            return Err(store_error(error.into_sqlite()));
        }
        let stopwatch = Stopwatch::start();
        match connection.execute_batch("COMMIT") {
            Ok(()) => {
                self.options.observer.committed(1, stopwatch.elapsed());
                Ok(outcome)
            }
            Err(error) if commit_surely_failed(&error) => {
                self.roll_back(connection);
                Err(store_error(error))
            }
            Err(error) => {
                self.failure.raise(format!("COMMIT failed: {error}"));
                Err(StoreError::OutcomeUnknown)
            }
        }
    }

    fn stock_moves(
        &self,
        connection: &Connection,
        command: &Command,
    ) -> WorkResult<Box<dyn StockMoves>> {
        match (self.options.stock_policy, command) {
            (StockPolicy::ReadThenWrite, Command::Place(place)) => {
                let products: Vec<ProductId> = match &place.lines {
                    double11_store::OrderLines::Items(items) => {
                        items.iter().map(|(product_id, _)| *product_id).collect()
                    }
                    double11_store::OrderLines::Cart(cart_id) => {
                        carts::read(connection, &self.facts, *cart_id)?
                            .map(|cart| cart.lines.iter().map(|line| line.product_id).collect())
                            .unwrap_or_default()
                    }
                };
                Ok(Box::new(UnlockedStock::read(connection, &products)?))
            }
            _ => Ok(Box::new(GuardedStock)),
        }
    }

    fn roll_back(&self, connection: &Connection) {
        if !connection.is_autocommit()
            && let Err(error) = connection.execute_batch("ROLLBACK")
        {
            self.failure.raise(format!("ROLLBACK failed: {error}"));
        }
    }
}

fn stored_currency(connection: &Connection) -> rusqlite::Result<Option<Currency>> {
    let code: Option<String> = connection
        .query_row("SELECT currency FROM shop", [], |row| row.get(0))
        .optional()?;
    Ok(code.as_deref().and_then(Currency::from_code))
}

fn largest_id(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row(
        "SELECT MAX(COALESCE((SELECT MAX(order_id) FROM orders), 0), \
         COALESCE((SELECT MAX(cart_id) FROM carts), 0), \
         COALESCE((SELECT MAX(attempt_id) FROM payments), 0))",
        [],
        |row| row.get(0),
    )
}

impl Store for SqliteStore {
    fn kind(&self) -> &'static str {
        "sqlite"
    }

    fn is_shared(&self) -> bool {
        false
    }

    fn catalogue(&self) -> Answer<Vec<Product>> {
        self.read(catalogue::all)
    }

    fn sold_out_products(&self) -> Answer<Vec<ProductId>> {
        self.read(|connection, _facts| catalogue::sold_out(connection))
    }

    fn product(&self, product_id: ProductId) -> Answer<Option<ListedProduct>> {
        self.read(move |connection, facts| catalogue::one(connection, facts, product_id))
    }

    fn random_product(&self) -> Answer<Option<ListedProduct>> {
        self.read(catalogue::random)
    }

    fn products(&self, page: PageRequest) -> Answer<Vec<ListedProduct>> {
        self.read(move |connection, facts| catalogue::page(connection, facts, page))
    }

    fn search(&self, text: String, limit: u32) -> Answer<SearchPage> {
        self.read(move |connection, facts| catalogue::search(connection, facts, &text, limit))
    }

    fn cart(&self, cart_id: CartId) -> Answer<Option<Cart>> {
        self.read(move |connection, facts| {
            // One snapshot for the cart and its lines.
            let transaction = connection.unchecked_transaction()?;
            let cart = carts::read(&transaction, facts, cart_id)?;
            transaction.commit()?;
            Ok(cart)
        })
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
        self.read(move |connection, facts| {
            // One snapshot for the order, its lines and its payments.
            let transaction = connection.unchecked_transaction()?;
            let view = orders::view(&transaction, facts, order_id)?;
            transaction.commit()?;
            Ok(view)
        })
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
        self.read(move |connection, facts| payments::unresolved(connection, facts, gateway, limit))
    }

    fn pending_refunds(&self, gateway: &'static str, limit: u32) -> Answer<Vec<PendingRefund>> {
        self.read(move |connection, facts| {
            payments::pending_refunds(connection, facts, gateway, limit)
        })
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
        let command = Command::Restock { product_id, pieces };
        self.write(command, |outcome| match outcome {
            Outcome::Restock(known) => Some(known),
            _ => None,
        })
    }

    fn purge(&self, keys_before: UnixMicros, carts_before: UnixMicros, limit: u32) -> Answer<u32> {
        let find = self.read(move |connection, _facts| {
            Due::find(connection, keys_before, carts_before, limit)
        });
        let (shared, writer) = (Arc::clone(&self.shared), self.writer.clone());
        Box::pin(async move {
            let due = find.await?;
            if due.is_empty() {
                return Ok(0);
            }
            match write(&shared, writer.as_ref(), Command::Purge(due)).await? {
                Outcome::Purge(deleted) => Ok(deleted),
                _ => Err(StoreError::OutcomeUnknown),
            }
        })
    }

    fn figures(&self) -> Answer<Figures> {
        self.read(|connection, _facts| figures::read(connection))
    }

    fn ping(&self) -> Answer<()> {
        let failed = self.shared.failure.is_raised();
        let read =
            self.read(|connection, _facts| {
                Ok(connection
                    .query_row("SELECT COUNT(*) FROM shop", [], |row| row.get::<_, i64>(0))?)
            });
        Box::pin(async move {
            if failed {
                return Err(StoreError::Closed);
            }
            read.await.map(drop)
        })
    }

    fn failed(&self) -> Pin<Box<dyn Future<Output = StoreFailure> + Send + 'static>> {
        Box::pin(self.shared.failure.clone().wait())
    }

    fn close(&self) -> Answer<()> {
        let writer = self.writer.clone();
        let shared = Arc::clone(&self.shared);
        let lock = self
            .lock
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        Box::pin(async move {
            tokio::task::spawn_blocking(move || {
                if let Some(writer) = writer {
                    writer.close();
                }
                shared.connections.close();
                drop(lock);
            })
            .await
            .map_err(|_| StoreError::OutcomeUnknown)
        })
    }
}

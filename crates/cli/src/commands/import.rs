//! `double11 import`: a new store with the catalogue of a CSV file.

mod catalogue_file;

use anyhow::Context as _;
use double11_store::CatalogueFacts;

use crate::arguments::Import;
use crate::commands::offline;
use crate::commands::store_url::StoreUrl;
use crate::console;
use crate::exit::{CommandResult, Exit, Failure};

/// The seed of a catalogue that no seed made.
const IMPORTED: i64 = 0;

pub(crate) fn run(arguments: &Import) -> CommandResult {
    let url = StoreUrl::parse(&arguments.store)?;
    let currency = double11_units::Currency::default();
    let products = catalogue_file::read(&arguments.catalogue, currency).map_err(|error| {
        Failure::usage(error).hint(format!(
            "the first line names the columns {}; ids are 1, 2, 3 and so on",
            catalogue_file::COLUMNS.join(",")
        ))
    })?;
    let store = offline::open(&url)?;
    if let Some(CatalogueFacts { products, .. }) = store.catalogue_facts()? {
        return Err(Failure::usage(anyhow::anyhow!(
            "the store `{}` has a catalogue of {products} products already",
            url.location()
        ))
        .hint("name a new store with `--store`, or take in pieces with `double11 restock`"));
    }
    store.seed(IMPORTED, &products)?;
    let pieces: u64 = products.iter().map(|new| u64::from(new.stock)).sum();
    store
        .close()
        .context("closing the store")
        .map_err(Failure::environment)?;
    console::data(&format!(
        "{} products with {pieces} pieces are in {}\n",
        products.len(),
        url.location()
    ));
    Ok(Exit::Done)
}

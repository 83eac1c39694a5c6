//! `double11 restock`: pieces that came in while no shop was open.

use anyhow::{Context as _, anyhow};
use double11_units::ProductId;

use crate::arguments::Restock;
use crate::commands::offline;
use crate::commands::store_url::StoreUrl;
use crate::console;
use crate::exit::{CommandResult, Exit, Failure};

pub(crate) fn run(arguments: &Restock) -> CommandResult {
    let url = StoreUrl::parse(&arguments.store)?;
    let product_id = ProductId::new(arguments.product).map_err(|_| unknown(arguments.product))?;
    if let StoreUrl::Sqlite(path) = &url
        && !path.exists()
    {
        return Err(
            Failure::environment(anyhow!("the store `{}` does not exist", path.display()))
                .hint("name it with `--store sqlite:FILE`, or make it with `double11 import`"),
        );
    }
    let store = offline::open(&url)?;
    let known = store.wait(|store| store.restock(product_id, arguments.pieces));
    let known = known
        .context("taking in the pieces")
        .map_err(Failure::environment)?;
    store
        .close()
        .context("closing the store")
        .map_err(Failure::environment)?;
    if !known {
        return Err(unknown(arguments.product));
    }
    console::data(&format!(
        "{} pieces of product {product_id} came in\n",
        arguments.pieces
    ));
    Ok(Exit::Done)
}

fn unknown(product: i64) -> Failure {
    Failure::usage(anyhow!("there is no product {product}"))
        .hint("`GET /api/products` lists the products of a shop")
}

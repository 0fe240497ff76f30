"""The words that logs have for the kinds of behaviours."""

import polars as pl

from memory.behaviors.schema import KINDS, Kind

# What is put aside for later (fav, wishlist) is as near to a purchase as what is put in the cart.
_WORDS = {
    Kind.VIEW: "view pv page_view product_view view_item view_product item_view detail details browse",
    Kind.CLICK: "click clk ipv click_item product_click item_click",
    Kind.CART: "cart add_to_cart add_cart cart_add basket add_to_basket fav favorite favourite wishlist",
    Kind.BUY: "buy bought purchase purchased transaction order ordered sale conversion",
}
_KIND_OF = {word.replace("_", ""): kind for kind, words in _WORDS.items() for word in words.split()}


def kind_of(word: str) -> Kind | None:
    """Return the kind that a log's word means; case, blanks, underscores and signs do not matter."""
    return _KIND_OF.get("".join(character for character in word.casefold() if character.isalnum()))


def kinds(cells: pl.Series) -> pl.Series:
    """Return the kinds (`KINDS`), null where a word is not known."""
    words = cells.cast(pl.String)
    known = [(word, kind) for word in words.unique() if word and (kind := kind_of(word))]
    return words.replace_strict(
        [word for word, _ in known], [kind.value for _, kind in known], default=None, return_dtype=KINDS
    )

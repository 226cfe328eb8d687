"""The model of a night: loaded once in each process that works on a shard, and the same one in all of them."""

from pathlib import Path

from ageingwell.bundle import Bundle, load_bundle
from ageingwell.config.load import Config
from ageingwell.errors import BundleError

# The newest alone: a process works on one night at a time.
_LOADED: dict[str, Bundle] = {}


def remember(bundle: Bundle) -> Bundle:
    """Keep a bundle that this process has loaded, so that its own shards need not load it again."""
    _LOADED.clear()
    _LOADED[bundle.digest] = bundle
    return bundle


def bundle_of(config: Config, *, digest: str, cache: Path | None) -> Bundle:
    """The bundle of this digest. Raises `BundleError` where the folder holds another one by now."""
    if digest not in _LOADED:
        found = load_bundle(config.score.bundle, codelists=config.codelists, cache=cache, trust=config.score.model)
        if found.digest != digest:
            raise BundleError("the model bundle was changed while the night was worked out", "run again")
        remember(found)
    return _LOADED[digest]

"""Fails when the function's binary is larger than the limit."""

import pathlib
import sys
import zlib

LIMIT, ZIPPED_LIMIT = 8_500_000, 3_800_000

binary = pathlib.Path(sys.argv[1]).read_bytes()
zipped = len(zlib.compress(binary, 9))
print(f"{len(binary) / 1e6:.2f} MB, at most {LIMIT / 1e6:.1f}; zipped {zipped / 1e6:.2f} MB, at most {ZIPPED_LIMIT / 1e6:.1f}")
sys.exit(not (len(binary) < LIMIT and zipped < ZIPPED_LIMIT))

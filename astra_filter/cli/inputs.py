"""The bytes of a file or of standard input: read once, in chunks, decompressed, as UTF-8."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import select
import sys
import zlib
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple, cast

from astra_filter.cli import messages

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from astra_filter.cli.progress import Progress

CHUNK = 1 << 20
_PATIENCE = 0.2
"""How many seconds a pipe may be silent before those that wait for more take what there is."""
_BOM = b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")

SQLITE, PARQUET, ARROW = b"SQLite format 3\0", b"PAR1", b"ARROW1"
_COMPRESSED = {
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstandard",
    b"BZh": "bzip2",
    b"\xfd7zXZ\0": "xz",
}
SUFFIXES_OF_COMPRESSION = (".gz", ".zst", ".bz2", ".xz")


class Input:
    """Bytes that come in chunks.

    Args:
        name: what to call them in messages.
        stream: where they come from.
        path: the file, where it is one.
        size: how many there are in the file, compressed or not; 0 where nobody knows.
        progress: is told how many have been read.
    """

    def __init__(self, name: str, stream: BinaryIO, path: Path | None, size: int, progress: Progress) -> None:
        self.name = name
        self.path = path
        self.compressed = False
        self._stream = self._file = stream
        self._size = size
        self._progress = progress
        self._waits = _waits(stream)
        self._head = b""
        self._ended = False
        self._count = 0

    def close(self) -> None:
        """Close the file; standard input stays as it is."""
        if self.path is not None:
            self._file.close()

    @property
    def seekable(self) -> bool:
        """Whether the bytes of ``path`` are those that this input gives."""
        return self.path is not None and not self.compressed

    @property
    def live(self) -> bool:
        """Whether more may come at any time, as through a pipe."""
        return self._waits

    def head(self, length: int) -> bytes:
        """Return the first bytes without taking them: this many, or what there is before a pipe is silent."""
        while len(self._head) < length and not self._ended:
            if not self._more(wait=not self._head):
                break
        return self._head

    def line(self, most: int) -> tuple[bytes, bool]:
        """Return what the first line that is not blank begins with, without taking it, and whether more follows it."""
        while True:
            text = self._head.removeprefix(_BOM).lstrip()
            first, end, rest = text.partition(b"\n")
            if self._ended or len(self._head) > most or (end and rest.strip()):
                return first, bool(rest.strip())
            if not self._more(wait=not end):
                # The end; or a pipe that is silent after a whole line.
                return first, not self._ended

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes; nothing, ``b""``, each time a pipe has been silent for a while."""
        if self._head:
            head, self._head = self._head.removeprefix(_BOM), b""
            yield head
        while not self._ended:
            if self._more(wait=False):
                chunk, self._head = self._head, b""
                yield chunk
            elif not self._ended:
                yield b""

    def all(self) -> bytes:
        """Return all the bytes."""
        return b"".join(self.chunks())

    def text(self) -> io.RawIOBase:
        """Return a binary stream of what `chunks` yields, without the silences."""
        return _Chunks(self.chunks())

    def _more(self, *, wait: bool) -> bool:
        """Put what comes next into the head; return False where nothing came."""
        try:
            if self._waits and not wait and not select.select([self._stream], [], [], _PATIENCE)[0]:
                return False
            read = getattr(self._stream, "read1", self._stream.read)
            chunk = read(CHUNK)
        except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
            raise messages.bad_compression(self.name, error) from None
        except UnicodeDecodeError as error:
            raise messages.bad_encoding(self.name, error) from None
        except OSError as error:
            raise messages.unreadable(self.name, error) from None
        except Exception as error:
            if type(error).__name__ != "ZstdError":  # Of a package that may not be there.
                raise
            raise messages.bad_compression(self.name, error) from None
        if not chunk:
            self._ended = True
        self._head += chunk
        self._count += len(chunk)
        self._progress.reading(self._count, self._size)
        return bool(chunk)

    def decompress(self) -> None:
        """Go on with what the bytes are compressed of, if they are."""
        head = self.head(8)
        kind = next((kind for magic, kind in _COMPRESSED.items() if head.startswith(magic)), None)
        if kind is None:
            return
        stream = cast("IO[bytes]", io.BufferedReader(_Prefixed(self._take_head(), self._stream)))
        match kind:
            case "gzip":
                self._stream = cast("BinaryIO", gzip.GzipFile(fileobj=stream))
            case "bzip2":
                self._stream = cast("BinaryIO", bz2.BZ2File(stream))
            case "xz":
                self._stream = cast("BinaryIO", lzma.LZMAFile(stream))  # noqa: SIM115  # As of the others.
            case _:
                self._stream = _zstandard(self.name, stream)
        self.compressed, self._waits, self._size = True, False, 0

    def decode(self, encoding: str | None) -> None:
        """Go on with the same text in UTF-8.

        Raises:
            InputError: there is no such encoding; or none was given, and this is UTF-16.
        """
        if encoding is None:
            if self.head(2).startswith(_UTF16):
                raise messages.utf16(self.name)
            return
        try:
            b" ".decode(encoding, "ignore")  # Fails for `rot13` and its like, which are no encodings of text.
            decoder = codecs.getincrementaldecoder(encoding)()
        except (LookupError, TypeError, ValueError):
            raise messages.unknown_encoding(encoding) from None
        self._stream = io.BufferedReader(_Recoded(_Prefixed(self._take_head(), self._stream), decoder), CHUNK)
        self._waits = False

    def _take_head(self) -> bytes:
        head, self._head, self._ended, self._count = self._head, b"", False, 0
        return head


class Opened(NamedTuple):
    """A file that has been opened, and what its first bytes and its name say that it is."""

    input: Input
    magic: bytes
    suffix: str


def open_input(file: str, encoding: str | None, progress: Progress) -> Opened:
    """Open a file, or standard input for ``-``.

    Raises:
        InputError: it cannot be read.
    """
    if file == "-":
        if sys.stdin is None:
            raise messages.closed("input")
        source = Input("standard input", sys.stdin.buffer, None, 0, progress)
        suffix = ""
    else:
        path = Path(file)
        try:
            stream = path.open("rb", buffering=0)
            source = Input(file, cast("BinaryIO", stream), path, path.stat().st_size, progress)
        except OSError as error:
            raise messages.unreadable(file, error) from None
        except ValueError as error:  # A name with U+0000 in it.
            raise messages.InputError(f"{file!r}: {error}") from None
        suffixes = [suffix.lower() for suffix in path.suffixes]
        if suffixes and suffixes[-1] in SUFFIXES_OF_COMPRESSION:
            suffixes.pop()
        suffix = suffixes[-1] if suffixes else ""
    try:
        source.decompress()
        head = source.head(len(SQLITE))
        magic = next((magic for magic in (SQLITE, PARQUET, ARROW) if head.startswith(magic)), b"")
        if not magic:
            source.decode(encoding)
    except BaseException:
        source.close()
        raise
    return Opened(source, magic, suffix)


def _waits(stream: BinaryIO) -> bool:
    """Whether a stream may be silent for a while, and can be asked."""
    try:
        descriptor = stream.fileno()
        return not stream.seekable() and select.select([descriptor], [], [], 0) is not None
    except (OSError, ValueError):  # No file of the system's own; `select` on Windows takes sockets only.
        return False


def _zstandard(name: str, stream: IO[bytes]) -> BinaryIO:
    try:
        import zstandard  # Only those who read such files need it.
    except ModuleNotFoundError as error:
        raise messages.missing_extra(name, error) from None
    reader: BinaryIO = zstandard.ZstdDecompressor().stream_reader(stream, read_across_frames=True)
    return reader


class _Prefixed(io.RawIOBase):
    """A stream of which some bytes were read already."""

    def __init__(self, head: bytes, stream: BinaryIO) -> None:
        self._head = head
        self._stream = stream

    def readable(self) -> bool:
        """It can be read."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # What `BufferedReader` gives.
        """Read the next bytes."""
        if not self._head:
            self._head = getattr(self._stream, "read1", self._stream.read)(CHUNK)
        return self._give(buffer)

    def _give(self, buffer: memoryview) -> int:
        taken = self._head[: len(buffer)]
        buffer[: len(taken)] = taken
        self._head = self._head[len(taken) :]
        return len(taken)


class _Recoded(_Prefixed):
    """A stream of text in another encoding, as UTF-8."""

    def __init__(self, stream: _Prefixed, decoder: codecs.IncrementalDecoder) -> None:
        super().__init__(b"", stream)  # type: ignore[arg-type]
        self._decoder = decoder
        self._done = False

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read the next bytes."""
        while not self._head and not self._done:
            chunk = self._stream.read(CHUNK)
            self._done = not chunk
            self._head = self._decoder.decode(chunk, final=self._done).encode("utf-8", "surrogatepass")
        return self._give(buffer)


class _Chunks(io.RawIOBase):
    """Chunks as a stream."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._left = b""

    def readable(self) -> bool:
        """It can be read."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read the next bytes; wait for them."""
        while not self._left:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._left = chunk
        taken = self._left[: len(buffer)]
        buffer[: len(taken)] = taken
        self._left = self._left[len(taken) :]
        return len(taken)

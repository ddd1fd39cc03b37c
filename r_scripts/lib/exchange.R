# R values in and out of one little-endian binary file, values.bin, which holds a named list.
#
# A value is: kind (int32), length (double), payload, number of attributes (int32), then name and value of each attribute.
# Text is its number of bytes (int32) and its bytes in UTF-8. Kinds and payloads:
#   0 NULL         nothing
#   1 logical, 2 integer (4 bytes), 3 double (8), 4 complex (16), 6 raw (1)
#   5 character    number of NA (int32), their 0-based positions, number of bytes (double), strings each ended by a zero byte
#   7 list         its elements
#   8 S4           nothing: the slots are its attributes
#   9 opaque       (to Python only) class of a function, environment, ...; no attributes
#  10 made         (to R only) no length: the name of a function of objects.R, then the list of its arguments; no attributes

kinds <- c("NULL", "logical", "integer", "double", "complex", "character", "raw", "list", "S4", "opaque", "make")
sizes <- c(logical = 4L, integer = 4L, double = 8L, complex = NA_integer_, raw = 1L)
chunk_values <- 2^26  # readBin and writeBin move less than 2^31 bytes at once

read_atomic <- function(connection, what, n) {
  storage <- if (what == "logical") "integer" else what
  take <- function(k) readBin(connection, storage, n = k, size = sizes[[what]], endian = "little")
  if (n <= chunk_values) {
    values <- take(n)
  } else {
    values <- vector(storage, n)
    for (first in seq(1, n, by = chunk_values)) {
      last <- min(first + chunk_values - 1, n)
      values[first:last] <- take(last - first + 1)
    }
  }
  if (length(values) != n) stop("the file ends after ", length(values), " of ", n, " values")
  if (what == "logical") as.logical(values) else values
}

read_text <- function(connection) {
  text <- readChar(connection, readBin(connection, "integer", 1L, endian = "little"), useBytes = TRUE)
  Encoding(text) <- "UTF-8"
  text
}

read_value <- function(connection) {
  whole <- function() readBin(connection, "integer", 1L, endian = "little")
  kind <- kinds[[whole() + 1L]]
  if (kind == "make") {
    maker <- match.fun(read_text(connection))
    return(do.call(maker, read_value(connection)))
  }
  n <- readBin(connection, "double", 1L, endian = "little")
  value <- NULL
  if (kind == "list") {
    value <- vector("list", n)
    for (k in seq_len(n)) {
      item <- read_value(connection)
      if (!is.null(item)) value[[k]] <- item
    }
  } else if (kind == "character") {
    missing <- readBin(connection, "integer", whole(), endian = "little")
    readBin(connection, "double", 1L)
    value <- if (n > 0) readBin(connection, "character", n = n) else character()
    Encoding(value) <- "UTF-8"
    value[missing + 1L] <- NA_character_
  } else if (kind != "NULL") {
    value <- read_atomic(connection, kind, n)
  }
  found <- list()
  for (k in seq_len(whole())) {
    name <- read_text(connection)
    found[[name]] <- read_value(connection)
  }
  if (length(found)) attributes(value) <- found
  value
}

write_text <- function(text, connection) {
  text <- enc2utf8(text)
  writeBin(nchar(text, "bytes"), connection, endian = "little")
  writeChar(text, connection, nchars = nchar(text, "bytes"), eos = NULL, useBytes = TRUE)
}

write_atomic <- function(value, connection) {
  n <- length(value)
  if (is.logical(value)) value <- as.integer(value)
  if (n <= chunk_values) {
    writeBin(value, connection, endian = "little")
  } else {
    for (first in seq(1, n, by = chunk_values)) {
      writeBin(value[first:min(first + chunk_values - 1, n)], connection, endian = "little")
    }
  }
}

write_value <- function(value, connection) {
  if (is.symbol(value) && identical(as.character(value), "\001NULL\001")) value <- NULL  # an empty slot
  if (is.pairlist(value) && !is.null(value)) value <- as.list(value)
  if (isS4(value)) {
    package <- attr(class(value), "package")
    known <- is.null(package) || package == ".GlobalEnv" ||
      suppressPackageStartupMessages(requireNamespace(package, quietly = TRUE))
    if (known && methods::is(value, "DelayedArray")) value <- plain_matrix(value)  # a class of a missing package has its slots
  }
  kind <- match(typeof(value), kinds, nomatch = 10L) - 1L
  writeBin(kind, connection, endian = "little")
  bare <- value
  if (kind %in% 1:7) attributes(bare) <- NULL
  writeBin(if (kind %in% 1:7) as.double(length(bare)) else 0, connection, endian = "little")
  if (kind == 9L) {
    write_text(class(value)[[1L]], connection)
    writeBin(0L, connection, endian = "little")
    return(invisible())
  }
  if (kind == 7L) {
    for (k in seq_along(bare)) write_value(bare[[k]], connection)
  } else if (kind == 5L) {
    text <- enc2utf8(bare)
    missing <- which(is.na(text))
    text[missing] <- ""
    writeBin(length(missing), connection, endian = "little")
    writeBin(missing - 1L, connection, endian = "little")
    writeBin(as.double(sum(nchar(text, "bytes") + 1)), connection, endian = "little")
    writeBin(text, connection, useBytes = TRUE)
  } else if (kind %in% c(1:4, 6L)) {
    write_atomic(bare, connection)
  }
  found <- attributes(value)
  writeBin(length(found), connection, endian = "little")
  for (name in names(found)) {
    write_text(name, connection)
    write_value(found[[name]], connection)
  }
  invisible()
}

read_bundle <- function(folder) {
  connection <- file(file.path(folder, "values.bin"), "rb")
  on.exit(close(connection))
  read_value(connection)
}

write_bundle <- function(values, folder) {
  dir.create(folder, showWarnings = FALSE)
  connection <- file(file.path(folder, "values.bin"), "wb")
  on.exit(close(connection))
  write_value(values, connection)
}

# Values in and out of a folder of little-endian binary files.
#
# index.tsv has one line per value: name, kind, rows, cols, file. Vectors have cols = -1. Kinds:
#   double, integer, logical   <file>.x.bin   8-byte floats; 4-byte integers (logical: 0, 1, NA)
#   character                  <file>.x.bin   UTF-8, each string ended by a zero byte
#   dgCMatrix, lgCMatrix       <file>.{i,p,x}.bin   the slots of the sparse matrix (0-based rows, column pointers)
# A data frame is written column by column under the names frame/column.

chunk_values <- 2^26  # readBin and writeBin move less than 2^31 bytes at once

read_values <- function(path, what, n) {
  if (n == 0) return(vector(what, 0L))
  connection <- file(path, "rb")
  on.exit(close(connection))
  if (what == "character") {
    values <- readBin(connection, "character", n = n)
    Encoding(values) <- "UTF-8"
  } else {
    storage <- if (what == "logical") "integer" else what
    size <- if (what == "double") 8L else 4L
    take <- function(k) readBin(connection, storage, n = k, size = size, endian = "little")
    if (n <= chunk_values) {
      values <- take(n)
    } else {
      values <- vector(storage, n)
      for (first in seq(1, n, by = chunk_values)) {
        last <- min(first + chunk_values - 1, n)
        values[first:last] <- take(last - first + 1)
      }
    }
    if (what == "logical") values <- as.logical(values)
  }
  if (length(values) != n) stop("file ", basename(path), " holds ", length(values), " values, expected ", n)
  values
}

write_values <- function(values, path) {
  connection <- file(path, "wb")
  on.exit(close(connection))
  if (is.logical(values)) values <- as.integer(values)
  if (is.character(values)) {
    writeBin(enc2utf8(ifelse(is.na(values), "NA", values)), connection, useBytes = TRUE)
    return(invisible())
  }
  n <- length(values)
  if (n == 0) return(invisible())
  if (n <= chunk_values) {
    writeBin(as.vector(values), connection, endian = "little")
  } else {
    for (first in seq(1, n, by = chunk_values)) {
      writeBin(values[first:min(first + chunk_values - 1, n)], connection, endian = "little")
    }
  }
  invisible()
}

read_bundle <- function(folder) {
  index <- utils::read.delim(file.path(folder, "index.tsv"), colClasses = c("character", "character", "numeric",
                                                                            "numeric", "character"))
  values <- lapply(seq_len(nrow(index)), function(k) {
    entry <- index[k, ]
    stem <- file.path(folder, entry$file)
    if (entry$kind %in% c("dgCMatrix", "lgCMatrix")) {
      p <- read_values(paste0(stem, ".p.bin"), "integer", entry$cols + 1)
      nonzeros <- p[[length(p)]]
      return(methods::new(
        entry$kind,
        i = read_values(paste0(stem, ".i.bin"), "integer", nonzeros),
        p = p,
        x = read_values(paste0(stem, ".x.bin"), if (entry$kind == "dgCMatrix") "double" else "logical", nonzeros),
        Dim = as.integer(c(entry$rows, entry$cols))
      ))
    }
    if (entry$cols < 0) return(read_values(paste0(stem, ".x.bin"), entry$kind, entry$rows))
    values <- read_values(paste0(stem, ".x.bin"), entry$kind, entry$rows * entry$cols)
    dim(values) <- c(entry$rows, entry$cols)
    values
  })
  stats::setNames(values, index$name)
}

write_bundle <- function(values, folder) {
  dir.create(folder, showWarnings = FALSE)
  frames <- vapply(values, is.data.frame, NA)
  columns <- lapply(names(values)[frames], function(name) {
    stats::setNames(as.list(values[[name]]), paste(name, names(values[[name]]), sep = "/"))
  })
  values <- c(values[!frames], do.call(c, columns))
  values <- values[!vapply(values, is.null, NA)]
  index <- vector("list", length(values))
  for (k in seq_along(values)) {
    value <- values[[k]]
    if (is.factor(value)) value <- as.character(value)
    stem <- file.path(folder, k)
    rows <- if (is.null(dim(value))) length(value) else nrow(value)
    cols <- if (is.null(dim(value))) -1 else ncol(value)
    if (methods::is(value, "sparseMatrix")) {
      value <- methods::as(methods::as(value, "CsparseMatrix"), "generalMatrix")
      if (!methods::is(value, "lMatrix")) value <- methods::as(value, "dMatrix")
      kind <- if (methods::is(value, "lMatrix")) "lgCMatrix" else "dgCMatrix"
      write_values(value@p, paste0(stem, ".p.bin"))
      write_values(value@i, paste0(stem, ".i.bin"))
      write_values(value@x, paste0(stem, ".x.bin"))
    } else {
      if (methods::is(value, "Matrix")) value <- as.matrix(value)
      kind <- typeof(value)
      if (!kind %in% c("double", "integer", "logical", "character")) stop("cannot pass on a value of type ", kind)
      write_values(value, paste0(stem, ".x.bin"))
    }
    index[[k]] <- data.frame(name = names(values)[[k]], kind = kind, rows = rows, cols = cols, file = k)
  }
  index <- do.call(rbind, index)
  index$rows <- format(index$rows, scientific = FALSE, trim = TRUE)
  index$cols <- format(index$cols, scientific = FALSE, trim = TRUE)
  utils::write.table(index, file.path(folder, "index.tsv"), sep = "\t", quote = FALSE, row.names = FALSE)
}

#!/usr/bin/env Rscript
# motifmatchr: which motifs occur in which sequences, by the authors' R package (a wrapper of MOODS).

# sequences  character; profiles  4 x sum(widths), the count matrices (rows A, C, G, T) side by side; widths  columns of each;
# background  "subject", "even" or four frequencies in the order A, C, G, T.
# Value: matches (logical), scores, counts (sequences x motifs, sparse), thresholds (one per motif).
run_motifmatchr <- function(sequences, profiles, widths, p_cutoff = 5e-5, background = "subject", window = 7) {
  need(c("motifmatchr", "TFBSTools", "SummarizedExperiment"))
  message("motifmatchr: loading packages")
  suppressPackageStartupMessages({
    library(motifmatchr)
    library(TFBSTools)
  })
  rownames(profiles) <- c("A", "C", "G", "T")
  last <- cumsum(widths)
  motifs <- lapply(seq_along(widths), function(k) {
    position_weights(profiles[, seq(last[[k]] - widths[[k]] + 1, last[[k]]), drop = FALSE], paste0("motif", k))
  })
  names(motifs) <- sprintf("motif%d", seq_along(motifs))

  blocks <- split(seq_along(motifs), ceiling(seq_along(motifs) / max(1, ceiling(length(motifs) / 20))))
  parts <- lapply(blocks, function(block) {
    found <- matchMotifs(do.call(PWMatrixList, motifs[block]), sequences, bg = background, out = "scores",
                         p.cutoff = p_cutoff, w = window)
    message(sprintf("motifmatchr: %d%% (%d of %d motifs)", (100 * max(block)) %/% length(motifs), max(block), length(motifs)))
    list(matches = motifMatches(found), scores = motifScores(found), counts = motifCounts(found))
  })
  bind <- function(name) do.call(cbind, unname(lapply(parts, function(part) methods::as(part[[name]], "CsparseMatrix"))))
  list(
    matches = methods::as(bind("matches"), "lMatrix"),
    scores = bind("scores"),
    counts = bind("counts"),
    thresholds = motif_thresholds(motifs, sequences, background, p_cutoff)
  )
}

# Log2 odds of a count matrix, as matchMotifs makes them of a PFMatrix: TFBSTools::toPWM, pseudocount 0.8, even background.
# TFBSTools cuts fractional counts down to integers without a word; those go through the same formula here, uncut.
position_weights <- function(counts, id) {
  if (all(counts == round(counts))) {
    storage.mode(counts) <- "integer"
    return(toPWM(PFMatrix(ID = id, name = id, profileMatrix = counts)))
  }
  bg <- c(A = 0.25, C = 0.25, G = 0.25, T = 0.25)
  frequencies <- sweep(counts + 0.25 * 0.8, 2, colSums(counts) + 0.8, "/")
  PWMatrix(ID = id, name = id, bg = bg, pseudocounts = 0.8, profileMatrix = log2(frequencies / 0.25))
}

# The score each motif must reach. motifmatchr computes it but gives it back through internal functions only; NA
# where a version of the package lacks them.
motif_thresholds <- function(motifs, sequences, background, p_cutoff) {
  internal <- function(name) utils::getFromNamespace(name, "motifmatchr")
  tryCatch({
    bg <- if (is.numeric(background)) background else internal("get_bg")(background, sequences, NULL)
    pwms <- do.call(PWMatrixList, motifs)
    # of the motifs, then of their reverse complements
    as.numeric(internal("get_thresholds")(internal("convert_pwms")(pwms, bg), bg, p_cutoff))[seq_along(motifs)]
  }, error = function(condition) {
    message("Warning: thresholds unavailable: ", conditionMessage(condition))
    rep(NA_real_, length(motifs))
  })
}

if (sys.nframe() == 0L) {
  here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)[[1L]]))
  for (file in c("guard.R", "cli.R")) source(file.path(here, "lib", file))
  options <- parse_options(list(
    fasta = list(help = "sequences of the peaks"),
    jaspar = list(help = "motifs, counts, JASPAR format"),
    out = list(help = "folder for matches.mtx, scores.mtx, counts.mtx, thresholds.tsv"),
    "p-cutoff" = list(default = 5e-5, help = "p-value below which a site is a match"),
    background = list(default = "subject", help = "subject, even, or four numbers A,C,G,T"),
    window = list(default = 7, help = "window of the search; does not change the result")
  ), about = "Motif matches with motifmatchr.")
  need(c("motifmatchr", "TFBSTools", "Biostrings"))
  sequences <- Biostrings::readDNAStringSet(options$fasta)
  motifs <- TFBSTools::readJASPARMatrix(options$jaspar, matrixClass = "PFM")
  matrices <- lapply(motifs, TFBSTools::Matrix)
  background <- options$background
  if (grepl(",", background)) background <- as.numeric(strsplit(background, ",")[[1L]])
  ids <- vapply(seq_along(motifs), function(k) TFBSTools::ID(motifs[[k]]), "")
  result <- run_motifmatchr(as.character(sequences), do.call(cbind, matrices), vapply(matrices, ncol, 0L),
                            options[["p-cutoff"]], background, options$window)
  result$thresholds <- data.frame(threshold = result$thresholds, row.names = ids)
  write_results(result, options$out)
  writeLines(names(sequences), file.path(options$out, "sequences.txt"))
  writeLines(ids, file.path(options$out, "motifs.txt"))
}

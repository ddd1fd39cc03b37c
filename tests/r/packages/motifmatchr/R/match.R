# Motif matches by weights and thresholds as MOODS defines them (Korhonen et al., Bioinformatics 2009), base by base.

motifMatches <- function(object) assay(object, "motifMatches")
motifScores <- function(object) assay(object, "motifScores")
motifCounts <- function(object) assay(object, "motifCounts")

get_bg <- function(method, subject, genome = NULL) {
  if (method == "even") return(rep(0.25, 4))
  letters <- table(factor(strsplit(toupper(paste(subject, collapse = "")), "")[[1L]], c("A", "C", "G", "T")))
  as.vector(letters) / sum(letters)
}

convert_pwms <- function(pwms, bg) lapply(as.list(pwms), function(pwm) TFBSTools::Matrix(pwm) - (log2(0.25) - log2(bg)))

# Of the matrices, then of their reverse complements.
get_thresholds <- function(matrices, bg, p) rep(vapply(matrices, threshold_of, 0, bg = bg, p = p), 2L)

threshold_of <- function(weights, bg, p) {
  scaled <- weights * 2000
  rounded <- trunc(scaled + ifelse(scaled >= 0, 0.5, -0.5))
  steps <- rounded - min(rounded)
  chance <- 1
  for (column in seq_len(ncol(steps))) {
    grown <- numeric(length(chance) + max(steps[, column]))
    for (base in 1:4) {
      where <- seq_along(chance) + steps[base, column]
      grown[where] <- grown[where] + bg[[base]] * chance
    }
    chance <- grown
  }
  tail <- cumsum(rev(chance))
  over <- which(tail > p)
  if (!length(over)) return(sum(apply(weights, 2L, min)) - 1)
  if (over[[1L]] == 1L) {
    best <- apply(weights, 2L, max)
    second <- apply(weights, 2L, function(column) max(c(column[column < max(column)], -Inf)))
    return(sum(best) - min(best - second) / 2)
  }
  (length(chance) - over[[1L]] + ncol(steps) * min(rounded) + 1) / 2000
}

scan_one <- function(bases, weights) {
  starts <- length(bases) - ncol(weights) + 1L
  if (starts < 1L) return(numeric())
  score <- numeric(starts)
  for (column in seq_len(ncol(weights))) score <- score + weights[bases[seq_len(starts) + column - 1L], column]
  score[!is.na(score)]
}

matchMotifs <- function(pwms, subject, genome = NULL, bg = "subject", out = "scores", p.cutoff = 5e-5, w = 7) {
  bg <- if (is.numeric(bg)) bg else get_bg(bg, subject, genome)
  matrices <- convert_pwms(pwms, bg)
  thresholds <- get_thresholds(matrices, bg, p.cutoff)
  bases <- lapply(strsplit(toupper(subject), ""), match, c("A", "C", "G", "T"))
  best <- counts <- matrix(0, length(subject), length(matrices))
  for (m in seq_along(matrices)) {
    weights <- matrices[[m]]
    for (k in seq_along(bases)) {
      found <- c(scan_one(bases[[k]], weights), scan_one(bases[[k]], weights[4:1, ncol(weights):1, drop = FALSE]))
      found <- found[found >= thresholds[[m]]]
      counts[k, m] <- length(found)
      if (length(found)) best[k, m] <- max(found)
    }
  }
  plain <- function(x) as(x, "CsparseMatrix")
  SummarizedExperiment(list(motifScores = plain(best), motifMatches = plain(counts > 0), motifCounts = plain(counts)))
}

# Deviations of peak sets by the formulas of Schep et al., Nature Methods 2017, as loops over sets.

setClass("chromVARDeviations", contains = "SummarizedExperiment")
deviations <- function(object) assay(object, "deviations")
deviationScores <- function(object) assay(object, "z")

nearest <- function(values, axis) {
  right <- pmin(pmax(findInterval(values, axis, left.open = TRUE), 1L), length(axis) - 1L) + 1L
  ifelse(values - axis[right - 1L] <= axis[right] - values, right - 1L, right)
}

# Walker's alias method, its table filled in the order of R's own (which sample.int uses for flat weights only).
alias_draw <- function(probability, count) {
  n <- length(probability)
  share <- probability * n
  alias <- integer(n)
  work <- c(which(share < 1), rev(which(share >= 1)))
  low <- sum(share < 1)
  high <- low + 1L
  if (low > 0L && high <= n) {
    for (k in seq_len(n)) {
      small <- work[[k]]
      large <- work[[high]]
      alias[[small]] <- large
      share[[large]] <- share[[large]] + share[[small]] - 1
      if (share[[large]] < 1) high <- high + 1L
      if (high > n) break
    }
  }
  scaled <- runif(count) * n
  index <- floor(scaled) + 1
  ifelse(scaled < share[index] + index - 1, index, alias[index])
}

getBackgroundPeaks <- function(object, bias, niterations = 50, w = 0.1, bs = 50) {
  values <- cbind(log10(rowSums(object)), bias)
  white <- t(forwardsolve(t(chol(cov(values))), t(values)))
  axes <- lapply(1:2, function(k) seq(min(white[, k]), max(white[, k]), length.out = bs))
  bin <- (nearest(white[, 1L], axes[[1L]]) - 1L) * bs + nearest(white[, 2L], axes[[2L]])
  occupied <- sort(unique(bin))
  member <- match(bin, occupied)
  size <- tabulate(member, length(occupied))
  centres <- cbind(axes[[1L]][(occupied - 1L) %/% bs + 1L], axes[[2L]][(occupied - 1L) %% bs + 1L])
  background <- matrix(0L, nrow(object), niterations)
  for (k in seq_along(occupied)) {
    distance <- sqrt(colSums((t(centres) - centres[k, ])^2))
    weights <- (dnorm(distance, 0, w) / size)[member]
    drawn <- alias_draw(weights / sum(weights), niterations * size[[k]])
    background[member == k, ] <- matrix(drawn, size[[k]], niterations, byrow = TRUE)
  }
  background
}

computeExpectations <- function(object, norm = FALSE, group = NULL) {
  if (norm || !is.null(group)) stop("this stand-in knows no norm and no group")
  rowSums(object) / sum(object)
}

computeDeviations <- function(object, annotations, background_peaks, expectation) {
  counts <- assay(object)
  if (any(rowSums(counts) == 0)) stop("All peaks must have at least one fragment in one sample")
  sets <- assay(annotations)
  depth <- colSums(counts)
  excess <- function(peaks) {
    expected <- sum(expectation[peaks]) * depth
    list(expected = expected, deviation = (colSums(counts[peaks, , drop = FALSE]) - expected) / expected)
  }
  one_set <- function(s) {
    peaks <- which(sets[, s])
    if (!length(peaks)) return(list(dev = rep(NA_real_, ncol(counts)), z = rep(NA_real_, ncol(counts)), overlap = NA_real_))
    own <- excess(peaks)
    drawn <- vapply(seq_len(ncol(background_peaks)), function(b) excess(background_peaks[peaks, b])$deviation, numeric(ncol(counts)))
    dev <- own$deviation - rowMeans(drawn)
    z <- dev / apply(drawn, 1L, sd)
    dev[own$expected < 1] <- z[own$expected < 1] <- NA
    list(dev = dev, z = z, overlap = mean(sets[as.vector(background_peaks[peaks, ]), s]))
  }
  results <- lapply(seq_len(ncol(sets)), one_set)
  table <- function(name) {
    matrix(unlist(lapply(results, `[[`, name)), ncol(sets), byrow = TRUE, dimnames = list(colnames(sets), colnames(counts)))
  }
  rows <- S4Vectors::DataFrame(
    fractionMatches = as.numeric(colSums(sets)) / nrow(sets), fractionBackgroundOverlap = vapply(results, `[[`, 0, "overlap"),
    row.names = colnames(sets)
  )
  new("chromVARDeviations", SummarizedExperiment(list(deviations = table("dev"), z = table("z")), rowData = rows))
}

computeVariability <- function(object, bootstrap_error = TRUE, bootstrap_samples = 1000) {
  z <- deviationScores(object)
  spread <- function(x) sd(x, na.rm = TRUE)
  variability <- apply(z, 1L, spread)
  table <- data.frame(name = rownames(z), variability = variability)
  if (bootstrap_error) {
    drawn <- replicate(bootstrap_samples, apply(z[, sample.int(ncol(z), replace = TRUE), drop = FALSE], 1L, spread))
    bounds <- apply(matrix(drawn, nrow(z)), 1L, quantile, c(0.025, 0.975), na.rm = TRUE)
    table$bootstrap_lower_bound <- bounds[1L, ]
    table$bootstrap_upper_bound <- bounds[2L, ]
  }
  table$p_value <- pchisq((ncol(z) - 1) * variability^2, ncol(z) - 1, lower.tail = FALSE)
  table$p_value_adj <- p.adjust(table$p_value, "BH")
  table
}

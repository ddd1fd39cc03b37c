# Cluster-specific peaks by the model of Zamanighomi et al., Nature Communications 2018, one peak after the other.

getClusterSpecificPvalue <- function(ForeGround, cluster_assignments, background_medians, landmark = NULL, maxiter = 1000,
                                     thresMLE = 1e-3, thresMAP = 1e-5, quiet = FALSE) {
  used <- background_medians > 0
  groups <- cluster_assignments[used]
  n <- max(groups)
  totals <- vapply(seq_len(n), function(k) rowSums(ForeGround[, which(used)[groups == k], drop = FALSE]), numeric(nrow(ForeGround)))
  exposure <- vapply(seq_len(n), function(k) sum(background_medians[used][groups == k]), 0)
  mle <- vapply(seq_len(nrow(totals)), function(peak) {
    beta <- numeric(n)
    for (step in seq_len(maxiter - 1)) {
      mean <- exposure * exp(beta)
      if (!all(is.finite(mean)) || min(mean) <= .Machine$double.eps * max(mean)) return(rep(NA_real_, n))
      change <- (totals[peak, ] - mean) / mean
      beta <- beta + change
      if (sum(abs(change)) <= thresMLE) break
    }
    beta
  }, numeric(n))
  centred <- mle[, !is.na(mle[1L, ]), drop = FALSE]
  centred <- sweep(centred, 2L, colMeans(centred))
  sigmas <- apply(abs(centred), 1L, quantile, 0.95, names = FALSE) / qnorm(0.975)
  design <- cbind(1, diag(n))
  penalty <- diag(c(0, 1 / sigmas^2))
  beta <- matrix(0, n + 1L, nrow(totals))
  pvalue <- matrix(0, nrow(totals), n)
  for (peak in seq_len(nrow(totals))) {
    beta[, peak] <- getbetaMAP(totals[peak, ], exposure, design, penalty, maxiter, thresMAP)
    information <- crossprod(design, as.vector(exposure * exp(design %*% beta[, peak])) * design)
    inverse <- solve(information + penalty)
    covariance <- inverse %*% information %*% inverse
    for (i in seq_len(n)) {
      tails <- vapply(setdiff(seq_len(n), i), function(j) {
        contrast <- replace(numeric(n + 1L), c(i, j) + 1L, c(1, -1))
        pnorm(sum(contrast * beta[, peak]) / sqrt(sum(contrast * (covariance %*% contrast))), lower.tail = FALSE)
      }, 0)
      pvalue[peak, i] <- max(tails)
    }
    if (!quiet && peak %% 100L == 0L) cat(sprintf("\r%d %%", (100L * peak) %/% nrow(totals)))
  }
  list(pvalue = pvalue, betaMAP = beta, sigmas = sigmas)
}

getbetaMAP <- function(total, exposure, design, penalty, maxiter, thresMAP) {
  beta <- numeric(ncol(design))
  for (step in seq_len(maxiter - 1)) {
    eta <- as.vector(design %*% beta)
    mean <- exposure * exp(eta)
    new <- as.vector(solve(crossprod(design, mean * design) + penalty, crossprod(design, mean * eta + total - mean)))
    change <- sum(abs(new - beta))
    beta <- new
    if (change <= thresMAP) break
  }
  beta
}

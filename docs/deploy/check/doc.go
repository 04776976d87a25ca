// Package check holds the manifests and the dashboard against the types of those who read
// them: Kubernetes' own, and Grafana's. A module of its own, because of what these weigh.
package check

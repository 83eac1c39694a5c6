# On a Kubernetes cluster: the shop below the quota of its namespace, database, Redis, gateway, monitoring and shoppers
# in namespaces of their own. Defines check, deploy, run_plans, collect and finish for variant_test.sh. Removes only
# what carries the label app.kubernetes.io/part-of=double11, which all files of k8s/ give to what they make.
# shellcheck shell=bash
# shellcheck disable=SC2154 # Set by variant_test.sh.

ours=app.kubernetes.io/part-of=double11
namespaces=(ecommerce ecommerce-data ecommerce-monitoring ecommerce-load)
# What 10 shops and the one that a new version starts first may use, as in k8s/.
needed_cpu=1980
needed_memory=$((11 * 368 * 1024 * 1024))

cube() { kubectl ${context:+--context "$context"} "$@"; }

# Everything that can be known before anything is deployed.
check() {
  command -v kubectl >/dev/null || fail 3 'kubectl is not on the search path' \
    'install it, or measure without a cluster: --local'
  check_context
  cube get --raw /readyz --request-timeout=10s >/dev/null 2>&1 || fail 3 \
    "the cluster of context $(shown_context) does not answer" \
    'start it (kind create cluster, minikube start, k3d cluster create), or measure without one: --local'
  [ "$(cube auth can-i create namespaces 2>/dev/null)" = yes ] || fail 3 \
    "context $(shown_context) may not create namespaces" 'use a cluster of your own'
  check_owner
  check_quota
  check_metrics_server
  check_image
}

shown_context() { printf '%s' "${context:-$(kubectl config current-context 2>/dev/null)}"; }

check_context() {
  if [ -n "$context" ]; then
    kubectl config get-contexts "$context" >/dev/null 2>&1 || fail 3 \
      "kubectl knows no context $context" "kubectl config get-contexts lists them"
    return
  fi
  local current
  current=$(kubectl config current-context 2>/dev/null) || fail 3 'kubectl has no context: there is no cluster' \
    'start one (kind create cluster, minikube start, k3d cluster create), or measure without one: --local'
  case $current in
    kind-* | k3d-* | minikube* | docker-desktop | rancher-desktop | orbstack | colima*) ;;
    *) fail 3 "the current context, $current, is not known to be a laptop's cluster" \
      "say that it is meant: --context $current" ;;
  esac
}

# Namespaces of these names that somebody else made are left alone, and so is everything in them.
check_owner() {
  local namespace found
  for namespace in "${namespaces[@]}"; do
    cube get namespace "$namespace" >/dev/null 2>&1 || continue
    found=$(cube get namespace --field-selector="metadata.name=$namespace" --selector="$ours" --output=name)
    [ -n "$found" ] || fail 3 "the namespace $namespace is there and was not made by these scripts" \
      "use another cluster, or remove it yourself if it is not needed"
  done
}

# Kubernetes' quantities as thousandths of a processor, or as bytes.
millicores() {
  case $1 in
    *m) printf '%s' "${1%m}" ;;
    *.*) awk -v cores="$1" 'BEGIN { printf "%d", cores * 1000 }' ;;
    *) printf '%s' "$(($1 * 1000))" ;;
  esac
}
bytes() {
  awk -v quantity="$1" 'BEGIN {
    split("Ki Mi Gi Ti k M G T", names, " ")
    split("1024 1048576 1073741824 1099511627776 1000 1000000 1000000000 1000000000000", sizes, " ")
    for (i = 1; i <= 8; i++)
      if (sub(names[i] "$", "", quantity)) { printf "%.0f", quantity * sizes[i]; exit }
    printf "%.0f", quantity
  }'
}

# A quota that is there already and not ours, or ours made smaller, may be too small for the autoscaler.
check_quota() {
  local name cpu memory
  while read -r name cpu memory; do
    [ -n "$name" ] || continue
    if [ "$cpu" != - ] && [ "$(millicores "$cpu")" -lt "$needed_cpu" ]; then
      fail 3 "the quota $name of namespace ecommerce allows limits.cpu=$cpu; 11 shops need ${needed_cpu}m" \
        'raise it, or lower maxReplicas in k8s/base/horizontalpodautoscaler.yaml'
    fi
    if [ "$memory" != - ] && [ "$(bytes "$memory")" -lt "$needed_memory" ]; then
      fail 3 "the quota $name of namespace ecommerce allows limits.memory=$memory; 11 shops need $((needed_memory / 1048576))Mi" \
        'raise it, or lower maxReplicas in k8s/base/horizontalpodautoscaler.yaml'
    fi
  done < <(cube get resourcequota --namespace=ecommerce --output=go-template='{{range .items}}{{.metadata.name}} {{with index .spec.hard "limits.cpu"}}{{.}}{{else}}-{{end}} {{with index .spec.hard "limits.memory"}}{{.}}{{else}}-{{end}}{{"\n"}}{{end}}' 2>/dev/null)
}

check_metrics_server() {
  local available
  available=$(cube get apiservice v1beta1.metrics.k8s.io \
    --output='jsonpath={.status.conditions[?(@.type=="Available")].status}' 2>/dev/null) || available=''
  [ "$available" = True ] || fail 3 'the cluster has no metrics-server, without which the autoscaler does nothing' \
    'minikube addons enable metrics-server; k3d has one; on kind apply its manifest with --kubelet-insecure-tls'
}

# The image is looked for by a pod that does nothing but say its version, in the namespace `default`.
check_image() {
  local policy=IfNotPresent probe=double11-image-probe phase reason deadline
  # An image without a registry's name is on the nodes or nowhere.
  [ "$image" != double11:dev ] || policy=Never
  cube delete pod --namespace=default --selector="$ours" --ignore-not-found --wait=true >/dev/null
  cube run "$probe" --namespace=default --labels="$ours" --image="$image" --image-pull-policy="$policy" \
    --restart=Never --command -- /double11 --version >/dev/null || fail 3 'the image cannot be tried'
  deadline=$((SECONDS + 90))
  phase='' reason=''
  while [ "$SECONDS" -lt "$deadline" ]; do
    phase=$(cube get pod "$probe" --namespace=default --output='jsonpath={.status.phase}')
    reason=$(cube get pod "$probe" --namespace=default \
      --output='jsonpath={.status.containerStatuses[0].state.waiting.reason}')
    case $phase:$reason in
      Succeeded:* | Failed:* | *:ErrImageNeverPull | *:ErrImagePull | *:ImagePullBackOff | *:InvalidImageName) break ;;
    esac
    read -rt 1 <> <(:) || true
  done
  cube delete pod "$probe" --namespace=default --wait=false >/dev/null
  case $phase:$reason in
    Succeeded:*) ;;
    *:?*) fail 3 "the nodes do not have the image $image ($reason)" \
      "docker build -f deploy/Dockerfile -t $image . and then: kind load docker-image $image, minikube image load $image, or k3d image import $image" ;;
    *) fail 3 "the image $image does not run ($phase)" "kubectl run it yourself to see why" ;;
  esac
}

# Secrets are made once, of random bytes, and never written to a file.
secret() { head -c 24 /dev/urandom | base64 | tr -d '/+=\n'; }

make_secrets() {
  if ! cube get secret ecommerce-data-secrets --namespace=ecommerce-data >/dev/null 2>&1; then
    cube create secret generic ecommerce-data-secrets --namespace=ecommerce-data \
      --from-literal=store-password="$(secret)" --from-literal=root-password="$(secret)" \
      --from-literal=exporter-password="$(secret)" --from-literal=gateway-secret="$(secret)" >/dev/null
    cube label secret ecommerce-data-secrets --namespace=ecommerce-data "$ours" >/dev/null
  fi
  local key words=()
  for key in store-password gateway-secret; do
    words+=("--from-literal=$key=$(cube get secret ecommerce-data-secrets --namespace=ecommerce-data \
      --output="go-template={{index .data \"$key\" | base64decode}}")")
  done
  cube create secret generic ecommerce-secrets --namespace=ecommerce "${words[@]}" --dry-run=client --output=yaml |
    cube apply --filename=- >/dev/null
  cube label secret ecommerce-secrets --namespace=ecommerce "$ours" --overwrite >/dev/null
}

# A folder of k8s/, with the image that was asked for and settings NAME=VALUE in the place of its own.
apply() {
  local folder=$1 setting changes=()
  shift
  for setting in "$@"; do changes+=(-e "s|^  ${setting%%=*}: .*|  ${setting%%=*}: \"${setting#*=}\"|"); done
  kubectl kustomize "$root/k8s/$folder" | with_image "${changes[@]}" | cube apply --filename=- >/dev/null ||
    fail 3 "k8s/$folder cannot be applied"
}
with_image() { sed -e "s|image: double11:dev\$|image: $image|" "$@"; }

deploy() {
  say "⚙️  部署到 $(shown_context)"
  apply namespace
  kubectl kustomize "$root/k8s/data" | awk '/^---$/ { exit } { print }' | cube apply --filename=- >/dev/null
  make_secrets
  apply data
  apply monitoring
  apply load/base
  cube rollout status deployment/prometheus --namespace=ecommerce-monitoring --timeout=300s >/dev/null ||
    fail 3 'Prometheus did not become ready' 'kubectl --namespace=ecommerce-monitoring describe deployment prometheus'
  local set
  for set in mysql redis gateway; do
    cube rollout status "statefulset/$set" --namespace=ecommerce-data --timeout=300s >/dev/null ||
      fail 3 "$set did not become ready" "kubectl --namespace=ecommerce-data describe pod $set-0"
  done
  # The shop of before, whichever variant it was, and the jobs of before.
  cube delete deployment,horizontalpodautoscaler --namespace=ecommerce --selector="$ours" --ignore-not-found \
    --cascade=foreground --wait=true >/dev/null
  cube delete job --namespace=ecommerce-data --selector="$ours" --ignore-not-found --wait=true >/dev/null
  cube delete job --namespace=ecommerce-load --selector="$ours" --ignore-not-found --wait=true >/dev/null
  apply "store/$variant"
  await 'the store could not be made' ecommerce-data ecommerce-store 300 Succeeded
  with_image <"$root/k8s/$variant-deployment.yaml" | cube apply --filename=- >/dev/null ||
    fail 3 "k8s/$variant-deployment.yaml cannot be applied"
  say '⏳ 等待服務啟動'
  cube rollout status deployment/ecommerce-app --namespace=ecommerce --timeout=300s >/dev/null ||
    fail 3 'the shop did not become ready' 'kubectl --namespace=ecommerce describe deployment,replicaset,quota'
}

run_plans() {
  if [ "$driver" = jmeter ]; then
    run_plans_from_here
  else
    run_plans_inside
  fi
}

# Apache JMeter on this machine, through a port that kubectl forwards: everything goes through the API server, which
# is slower than the shop may be, and all of it to one pod.
run_plans_from_here() {
  local forwarded=18080 forwarder
  # Without a function in between, so that the number is kubectl's own.
  kubectl ${context:+--context "$context"} port-forward --namespace=ecommerce service/ecommerce-app \
    "$forwarded:8080" >/dev/null 2>&1 &
  forwarder=$!
  # shellcheck disable=SC2064 # The number as it is now.
  trap "kill $forwarder 2>/dev/null || true" EXIT
  local deadline=$((SECONDS + 30))
  until "$double11" healthcheck "http://127.0.0.1:$forwarded/openapi.json" 2>/dev/null; do
    [ "$SECONDS" -lt "$deadline" ] || fail 3 'the forwarded port does not answer'
    read -rt 0.5 <> <(:) || true
  done
  say '📊 執行平常流量測試...'
  storm normal_traffic 127.0.0.1 "$forwarded" "$out/${variant}_normal.jtl" "${normal[@]}"
  say '🚀 執行峰值流量測試...'
  storm peak_traffic 127.0.0.1 "$forwarded" "$out/${variant}_peak.jtl" "${peak[@]}"
  kill "$forwarder" 2>/dev/null || true
  trap - EXIT
}

# Waits until the pod of a job has come to a phase, its first containers done: what is said otherwise, namespace, job,
# seconds, phase. A pod takes a moment to be made, and one that failed never comes any further.
await() {
  local message=$1 namespace=$2 job=$3 deadline=$((SECONDS + $4)) wanted=$5 phase=''
  while [ "$SECONDS" -lt "$deadline" ]; do
    phase=$(cube get pod --namespace="$namespace" --selector="job-name=$job" --output='jsonpath={.items[*].status.phase}') || phase=''
    case $phase in
      "$wanted") return ;;
      *Failed*) break ;;
    esac
    read -rt 1 <> <(:) || true
  done
  fail 3 "$message (${phase:-no pod})" "kubectl --namespace=$namespace logs job/$job --all-containers"
}

# The runner of plans as a job beside the shop.
run_plans_inside() {
  local words=() property
  for property in "${normal[@]}"; do words+=("NORMAL_${property^^}"); done
  for property in "${peak[@]}"; do words+=("PEAK_${property^^}"); done
  say '📊 執行平常流量測試 🚀 執行峰值流量測試...'
  apply load/jmeter "${words[@]}"
  local seconds=$((${normal[2]#duration=} + ${peak[2]#duration=} + 300)) pod
  await 'the plans were not run to their end' ecommerce-load ecommerce-jmeter "$seconds" Running
  pod=$(cube get pod --namespace=ecommerce-load --selector=job-name=ecommerce-jmeter --output=name)
  local plan
  for plan in normal peak; do
    cube exec "$pod" --namespace=ecommerce-load --container=results -- cat "/results/$plan.jtl" >"$out/${variant}_$plan.jtl" ||
      fail 3 "the results of $plan could not be fetched"
  done
  cube exec "$pod" --namespace=ecommerce-load --container=results -- touch /results/collected
}

# Asked within Prometheus' own pod, so that no port has to be forwarded and no policy opened.
collect() {
  ask "$orders_query" "$1" "$2" "$out/${variant}_metrics.json"
  ask 'sum by (pod) (rate(container_cpu_cfs_throttled_periods_total{namespace="ecommerce",container="ecommerce-app"}[1m])) / sum by (pod) (rate(container_cpu_cfs_periods_total{namespace="ecommerce",container="ecommerce-app"}[1m]))' \
    "$1" "$2" "$out/${variant}_throttling.json"
}

ask() {
  local query
  query=$(percent_encoded "$1")
  cube exec deployment/prometheus --namespace=ecommerce-monitoring -- \
    wget -qO- "http://127.0.0.1:9090/api/v1/query_range?query=$query&start=$2&end=$3&step=15" >"$4" ||
    fail 3 'Prometheus in the cluster does not answer'
}

# Whether a pod was held back in any step, or nothing is known: no series, or no answer.
held_back() { ! grep -q '"values":' "$1" || grep -Eq '\[[0-9.]+,"(0\.0*[1-9][0-9]*|[1-9][^"]*)"\]' "$1"; }

percent_encoded() {
  local text=$1 i character
  for ((i = 0; i < ${#text}; i++)); do
    character=${text:i:1}
    case $character in
      [a-zA-Z0-9._~-]) printf '%s' "$character" ;;
      *) printf '%%%02X' "'$character" ;;
    esac
  done
}

# The shop stays for whoever wants to look; the next test removes it.
finish() { :; }
